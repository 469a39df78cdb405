"""Rewrites packaging/windows.lock, what the Windows product is built with:
`.venv/bin/python packaging/windows_lock.py`.

The product's packages as requirements.lock pins them, for 64-bit Windows and without markers, so that pip can install
them from Linux too; then what only builds.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from licences import PLATFORMS, ROOT, holds, reached
from lock_file import pins

LOCK = Path(__file__).with_name("windows.lock")
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
    locked = pins((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    taken = [pin for pin in locked if pin.name in wanted and holds(pin.marker, PLATFORMS[:1])]
    every = sorted([*taken, *pins(TOOLS)], key=lambda pin: pin.name)
    return HEAD + "".join(pin.text.replace(f" ; {pin.marker}", "", 1) for pin in every)


if __name__ == "__main__":
    LOCK.write_text(windows_lock(), encoding="utf-8", newline="\n")
    print(f"Wrote {LOCK}", file=sys.stderr)
