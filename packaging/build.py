"""The Windows product: from this checkout to a setup, by `python packaging/build.py`.

The same steps on Windows and Linux; on Linux the Windows programs among them run under Wine. Each step is skipped when
nothing it depends on changed.
Standard library only, but for the icon and the SBOM, which `make setup` gives what they need.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from environment import PYTHON_PACKAGE, make_cuda_lock, make_environment
from lock_file import canonical
from product import HERE, ROOT, Asked, Build, say, sha256_of

# Inno Setup 6.4.1, from npm's registry where none is given.
INNO_PACKAGE, INNO_SHA512 = (
    "innosetup@6.4.1",
    "061fdd365cb216c14a046a137f5f67d66b0f9e6e0d8df6f4096562af0d825753"
    "12257632d1a8d123ec63a3f62bf43b5914b2da7e19f09b566cc53bb7d3d17c95",
)
# The driver that PyTorch for this CUDA needs, as docs/SETUP.md says.
DRIVERS = {12: 525, 13: 580}


@dataclass(frozen=True)
class Step:
    """`depends` gives the bytes whose change makes the step run again; `makes` has to be there afterwards."""

    name: str
    work: Callable[[Build], None]
    depends: Callable[[Build], Iterable[bytes]]
    makes: Callable[[Build], Path]


def main(arguments: Sequence[str]) -> int:
    asked, only = parse(arguments)
    build = Build(asked)
    if asked.edition == "cuda" and (asked.cuda.partition(".")[0] not in map(str, DRIVERS) or not asked.index_url):
        print(CUDA_NEEDS)
        return 2
    build.folder.mkdir(parents=True, exist_ok=True)
    for step in STEPS:
        if only and step.name not in only:
            continue
        take(step, build)
    return 0


CUDA_NEEDS = """The cuda edition needs --cuda VERSION (12.x or 13.x) and --index-url: PyTorch's wheel index, without
the folder of the CUDA version."""


def take(step: Step, build: Build) -> None:
    """Do a step unless it is done; says how long it took."""
    stamp, wanted = build.folder / f"{step.name}.stamp", _digest(step.depends(build))
    if stamp.is_file() and stamp.read_text() == wanted and step.makes(build).exists():
        say(f"{step.name}: nothing changed")
        return
    stamp.unlink(missing_ok=True)
    started = time.monotonic()
    say(f"{step.name} ...")
    step.work(build)
    if not step.makes(build).exists():
        raise SystemExit(f"{step.name} did not make {step.makes(build)}")
    stamp.write_text(wanted)
    say(f"{step.name}: {time.monotonic() - started:.0f} s")


# --- weights


def make_weights(build: Build) -> None:
    """The backbone inside the bundle, as `brakedisc weights get` makes it: downloaded by its hash, converted."""
    build.weights.mkdir(parents=True, exist_ok=True)
    if build.asked.edition == "light":
        return
    data_root = build.folder / "weights-root"
    program = "import sys; from service.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "weights", "get", "resnet50"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "BACKEND_DATA_ROOT": str(data_root)}, check=True)
    for found in (data_root / "weights").glob("resnet50*"):
        shutil.copy2(found, build.weights / found.name)


# --- bundle


def make_bundle(build: Build) -> None:
    """The executables, by PyInstaller under Windows' Python."""
    _draw_icon(build.icon)
    shutil.rmtree(build.folder / "dist", ignore_errors=True)
    environment = {
        "BUILD_VERSION": build.version,
        "BUILD_EDITION": build.asked.edition,
        "BUILD_VC_RUNTIME": build.path(build.cpython),
        "BUILD_WEIGHTS": build.path(build.weights),
        "BUILD_ICON": build.path(build.icon),
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options = ["--noconfirm", "--log-level", "ERROR", "--distpath", build.path(build.folder / "dist")]
    options += ["--workpath", build.path(build.folder / "work"), build.path(HERE / "brakedisc.spec")]
    build.run([build.cpython / "python.exe", "-m", "PyInstaller", *options], environment)

    (build.bundle / "THIRD-PARTY-LICENCES.txt").write_text(third_party_licences(build), encoding="utf-8")


def third_party_licences(build: Build) -> str:
    """The licence texts that come with Python and every locked package, under their names."""
    import sbom

    site, parts = build.cpython / "Lib" / "site-packages", []
    abouts = {canonical(path.name.partition("-")[0]): path for path in site.glob("*.dist-info")}
    for pin in sbom.bundled(build.lock):
        parts += [(f"{pin.name} {pin.version}", path) for path in _licence_files(abouts.get(pin.name))]
    parts += [("Python", path) for path in build.cpython.glob("LICENSE.txt")]
    return "\n".join(f"{'=' * 78}\n{name}: {path.name}\n\n{path.read_text('utf-8', 'replace')}" for name, path in parts)


_LICENCE_FILE = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")


def _licence_files(about: Path | None) -> list[Path]:
    files = [path for path in (about.rglob("*") if about else ()) if path.is_file() and path.suffix != ".json"]
    return sorted(path for path in files if _LICENCE_FILE.match(path.name) or path.parent != about)


def _draw_icon(path: Path) -> None:
    from PIL import Image  # noqa: F401  # said here: drawing needs it

    sys.path.insert(0, str(ROOT))
    from tray.icon.drawing import icon_image
    from tray.icon.menu import Colour

    icon_image(Colour.GREEN, 256).save(path, sizes=[(side, side) for side in (16, 24, 32, 48, 64, 128, 256)])


# --- installer


def make_installer(build: Build, bundle: Path | None = None, out: Path | None = None) -> None:
    """The setup, by Inno Setup's compiler; of another folder and into another one when they are given."""
    inno = build.asked.inno or _get_inno(build.asked.folder / "inno")
    bundle, out = bundle or build.bundle, out or build.out
    out.mkdir(parents=True, exist_ok=True)
    _draw_icon(build.icon)
    given = {
        "Version": build.version,
        "Edition": build.asked.edition,
        "Source": build.path(bundle),
        "Output": build.path(out),
        "Icon": build.path(build.icon),
        "MinDriver": str(DRIVERS.get(int(build.asked.cuda.partition(".")[0] or 0), 0)),
        "NeededMb": str(round(size_of(bundle) / 2**20)),
    }
    defines = [f"/D{name}={value}" for name, value in given.items()]
    build.run([inno / "ISCC.exe", "/Q", *defines, build.path(ROOT / "installer" / "brakedisc.iss")])


def size_of(folder: Path) -> int:
    """Bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _get_inno(folder: Path) -> Path:
    compiler = folder / "package" / "bin"
    if not (compiler / "ISCC.exe").exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("Inno Setup is needed: give its folder with --inno, or install npm, which gets it.")
        subprocess.run([npm, "pack", "--silent", INNO_PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = folder.glob("innosetup-*.tgz")
        if hashlib.sha512(archive.read_bytes()).hexdigest() != INNO_SHA512:
            raise SystemExit(f"{INNO_PACKAGE} is not the file it was: its hash differs")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return compiler


def make_papers(build: Build) -> None:
    """SBOM and checksums beside the setup."""
    import sbom

    weights = sorted(path for path in build.weights.iterdir() if path.suffix in (".pth", ".safetensors"))
    taken = sbom.hashes_of(build.reports.glob("*.json"))
    text = sbom.sbom(build.lock, build.version, "3.11.9", weights, taken)
    (build.out / f"BrakeDiscInspector-{build.version}-{build.asked.edition}.cdx.json").write_text(text, "utf-8")
    write_checksums(build.out)


def write_checksums(folder: Path) -> None:
    """`SHA256SUMS`, as `sha256sum -c` reads it."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii", newline="\n")


# --- what each step depends on


def _environment_inputs(build: Build) -> Iterable[bytes]:
    yield build.lock.encode()
    yield f"{PYTHON_PACKAGE} {build.asked}".encode()


def _cuda_lock_inputs(build: Build) -> Iterable[bytes]:
    yield (HERE / "windows.lock").read_bytes()
    yield build.cuda_index.encode()


def _sources(*patterns: str) -> Iterable[bytes]:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix().encode()
                yield path.read_bytes()


def _bundle_inputs(build: Build) -> Iterable[bytes]:
    yield from _environment_inputs(build)
    yield build.version.encode()
    yield from _sources(
        "service/**/*", "tray/**/*", "gui/**/*", "packaging/entry/*", "packaging/brakedisc.*",
        "packaging/shared_modules.py", "packaging/left_out.py", "packaging/redistributable.py",
    )  # fmt: skip


def _installer_inputs(build: Build) -> Iterable[bytes]:
    yield from _bundle_inputs(build)
    yield from _sources("installer/*")


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


STEPS = (
    Step(
        "cuda-lock",
        make_cuda_lock,
        _cuda_lock_inputs,
        lambda build: build.cuda_lock if build.asked.edition == "cuda" else build.folder,
    ),
    Step("environment", make_environment, _environment_inputs, lambda build: build.reports / "packages.json"),
    Step("weights", make_weights, lambda build: [build.asked.edition.encode()], lambda build: build.weights),
    Step("bundle", make_bundle, _bundle_inputs, lambda build: build.bundle / "THIRD-PARTY-LICENCES.txt"),
    Step("installer", make_installer, _installer_inputs, lambda build: build.setup),
    Step(
        "papers",
        make_papers,
        lambda build: [*_installer_inputs(build), *_sources("packaging/*.py")],
        lambda build: build.out / "SHA256SUMS",
    ),
)


def parse(arguments: Sequence[str]) -> tuple[Asked, list[str]]:
    """What is asked, and the names of the only steps wanted."""
    parser = argparse.ArgumentParser(prog="build.py", description="Build the Windows product.")
    parser.add_argument("steps", nargs="*", help=f"only these of: {', '.join(step.name for step in STEPS)}")
    parser.add_argument("--edition", choices=("cpu", "cuda", "light"), default="cpu", help="light: without the engine")
    parser.add_argument("--cuda", default="", metavar="VERSION", help="cuda: its version, such as 12.8")
    parser.add_argument("--index-url", default="", help="cuda: PyTorch's wheel index, above its folders for each CUDA")
    parser.add_argument("--cuda-lock", type=Path, help="cuda: the file that a former build wrote, with hashes")
    parser.add_argument("--folder", type=_resolved, default=Asked.folder, help="where everything is built")
    parser.add_argument("--wine-root", type=Path, default=Asked.wine_root, help="Linux: where Wine's Debian is made")
    parser.add_argument("--inno", type=_resolved, help="folder of Inno Setup's ISCC.exe; without it, npm gets it")
    parser.add_argument("--version", default="", help="another version than the project's, to try an update")
    found = vars(parser.parse_args(arguments))
    steps = found.pop("steps")
    unknown = set(steps) - {step.name for step in STEPS}
    if unknown:
        parser.error(f"unknown steps: {', '.join(sorted(unknown))}")
    return Asked(**found), steps


def _resolved(path: str) -> Path:
    return Path(path).resolve()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
