"""Proves the Windows product by running it: `python packaging/prove.py`, with the options of build.py.

Builds what is not built, and three more setups: two newer ones, and one that is broken on purpose, without a backbone.
Then tests/windows/ installs, kills, updates and uninstalls them. On Linux only, under Wine: it would end a PC's own
product.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import build


def main(arguments: Sequence[str]) -> int:
    if sys.platform == "win32":
        print("This runs on Linux, under Wine. On a PC: the checklist in docs/windows.md.")
        return 2
    code = build.main(arguments)
    if code:
        return code
    asked, _ = build.parse(arguments)
    made = build.Build(asked)
    folder = made.folder / "proof"
    setups = folder / "setups"
    shutil.rmtree(folder, ignore_errors=True)
    setups.mkdir(parents=True)
    shutil.copy2(made.setup, setups / made.setup.name)
    shutil.copytree(made.bundle, folder / "programs", copy_function=os.link)
    _make_other(made, setups, "newer", 1)
    _make_other(made, setups, "third", 2)
    _make_other(made, setups, "broken", 3, without_weights=True)
    environment = {
        **os.environ, "WINDOWS_SETUP": str(setups / made.setup.name), "WINDOWS_FOLDER": str(folder),
        "WINDOWS_PROGRAMS": str(folder / "programs"),
        "WINDOWS_WINE_ROOT": str(asked.wine_root),
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "tests/windows", "-q", "-s", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=build.ROOT, env=environment, check=False).returncode


def _make_other(made: build.Build, setups: Path, name: str, minor: int, *, without_weights: bool = False) -> None:
    """The same programs as a later version; what is left out makes them useless."""
    bundle = made.folder / "proof" / name
    shutil.copytree(made.bundle, bundle, copy_function=os.link)
    if without_weights:
        shutil.rmtree(bundle / "_internal" / "weights")
    other = build.Build(replace(made.asked, version=later(made.version, minor)))
    build.make_installer(other, bundle, setups)
    (setups / other.setup.name).rename(setups / f"{name}-setup.exe")


def later(version: str, minor: int) -> str:
    """`0.1.0`, 2 -> `0.3.0`."""
    first, second, _ = version.split(".")
    return f"{first}.{int(second) + minor}.0"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
