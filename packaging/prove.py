"""Proves the Windows product by running it: `python packaging/prove.py`, with the options of build.py.

Builds what is not built, and three more setups: two newer ones, and one that is broken on purpose, without a backbone.
Then tests/windows/ installs, kills, updates and uninstalls them. On Linux only, under Wine: it would end a PC's own
product.
"""

from __future__ import annotations

import os
import shutil
import struct
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
    folder = lay_out(made)
    make_other(made, "newer", 1)
    make_other(made, "third", 2)
    make_other(made, "broken", 3, without_weights=True)
    environment = {
        **os.environ, "WINDOWS_SETUP": str(folder / "setups" / made.setup.name), "WINDOWS_FOLDER": str(folder),
        "WINDOWS_PROGRAMS": str(folder / "programs"),
        "WINDOWS_WINE_ROOT": str(asked.wine_root),
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "tests/windows", "-q", "-s", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=build.ROOT, env=environment, check=False).returncode


def light(wine_root: Path) -> Path:
    """Build the light edition, a newer setup of it, and one as of the CUDA edition. The folder to prove them in."""
    arguments = ["--edition", "light", "--wine-root", str(wine_root)]
    code = build.main(arguments)
    if code:
        raise SystemExit(code)
    made = build.Build(build.parse(arguments)[0])
    folder = lay_out(made)
    make_other(made, "newer", 1)
    build.make_installer(build.Build(replace(made.asked, edition="cuda", cuda="12.8")), made.bundle, folder / "setups")
    return folder


def lay_out(made: build.Build) -> Path:
    """A folder to prove in: `setups` with the one that was built, `programs` as it brings them."""
    folder = made.folder / "proof"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "setups").mkdir(parents=True)
    shutil.copy2(made.setup, folder / "setups" / made.setup.name)
    shutil.copytree(made.bundle, folder / "programs", copy_function=os.link)
    return folder


def make_other(made: build.Build, name: str, minor: int, *, without_weights: bool = False) -> Path:
    """A setup of the same programs as a later version; what is left out makes them useless."""
    folder = made.folder / "proof"
    shutil.copytree(made.bundle, folder / name, copy_function=os.link)
    if without_weights:
        shutil.rmtree(folder / name / "_internal" / "weights")
    other = build.Build(replace(made.asked, version=later(made.version, minor)))
    for program in (folder / name).glob("*.exe"):
        stamp(program, other.version)
    build.make_installer(other, folder / name, folder / "setups")
    return (folder / "setups" / other.setup.name).rename(folder / "setups" / f"{name}-setup.exe")


def stamp(program: Path, version: str) -> None:
    """Give a program another version, where Windows reads it: VS_FIXEDFILEINFO, after its signature."""
    data = bytearray(program.read_bytes())
    at = data.index(bytes.fromhex("bd04effe")) + 8
    first, second, third = map(int, version.split("."))
    numbers = struct.pack("<HHHH", second, first, 0, third)  # of each double word the low half comes first
    data[at : at + 16] = numbers * 2  # of the file and of the product
    program.unlink()  # the name alone: the file is the bundle's too
    program.write_bytes(data)


def later(version: str, minor: int) -> str:
    """`0.1.0`, 2 -> `0.3.0`."""
    first, second, _ = version.split(".")
    return f"{first}.{int(second) + minor}.0"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
