"""Rewrites packaging/windows.lock, what the Windows product is built with:
`.venv/bin/python packaging/windows_lock.py`.

The product's packages as requirements.lock pins them, for 64-bit Windows and without markers, so that pip can install
them from Linux too; then what only builds.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

sys.path.insert(0, str(Path(__file__).parent))
from licences import PLATFORMS, ROOT, reached

LOCK = Path(__file__).with_name("windows.lock")
WINDOWS = PLATFORMS[0]
HEAD = "# Written by packaging/windows_lock.py: the Windows product, and what builds it.\n"
# Needed on Windows alone, so requirements.lock, which Linux installs, has no use for them.
TOOLS = """\
altgraph==0.17.5 \\
    --hash=sha256:f3a22400bce1b0c701683820ac4f3b159cd301acab067c51c653e06961600597
msvc-runtime==14.44.35112 \\
    --hash=sha256:aba7fbe71897d25ed53fbb7f391e9f50289378a8a9ae218ba18530c663448391
pefile==2024.8.26 \\
    --hash=sha256:76f8b485dcd3b1bb8166f1128d395fa3d87af26360c2358fb75b80019b957c6f
pyinstaller==6.22.3 \\
    --hash=sha256:500bd58c7bf7e584a8435adccbd763a0b918d5c12b08d74ff50fd79b2915458b
pyinstaller-hooks-contrib==2026.9 \\
    --hash=sha256:fb3e67dd64122561724c48ad0366ac9e8c16e638b63bf7d85de03bf3fdbf06c3
pywin32-ctypes==0.2.3 \\
    --hash=sha256:8a1513379d709975552d202d942d9837758905c8d01eb82b8bcc30918929e7b8
"""
BUILD = ("packaging", "setuptools")  # PyInstaller's own needs that requirements.lock pins


def windows_lock() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = reached(project["dependencies"]) | set(BUILD) | {"colorama"}
    blocks = [_plain(block) for block in _blocks() if _name(block) in wanted and _holds(block)]
    return HEAD + "".join(sorted([*blocks, *_split(TOOLS)], key=_name))


def _blocks() -> list[str]:
    return _split((ROOT / "requirements.lock").read_text(encoding="utf-8"))


def _split(text: str) -> list[str]:
    """One text a package: its line and those of its hashes."""
    return [block for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text) if block.strip()]


def _name(block: str) -> str:
    return canonicalize_name(block.partition("==")[0])


def _holds(block: str) -> bool:
    marker = re.match(r"[^ ]+ ; ([^\\]+?) *\\", block)
    return marker is None or Marker(marker[1]).evaluate({**WINDOWS, "extra": ""})


def _plain(block: str) -> str:
    return re.sub(r"^([^ ]+) ; [^\\]+\\", r"\1 \\", block, count=1)


if __name__ == "__main__":
    LOCK.write_text(windows_lock(), encoding="utf-8", newline="\n")
    print(f"Wrote {LOCK}", file=sys.stderr)
