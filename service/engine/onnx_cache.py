"""Exported networks of earlier starts: `cache/<backbone>-<key>.safetensors`. May be deleted at any time.

The key is over everything the export follows from: the weight file, our code of the network, the versions of torch and
ONNX Runtime. What is read must prove equal to torch's results, which are kept with it, like one made just now.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import marshal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from service.engine.onnx_backbone import Exported
from service.errors import DiskFull
from service.store.files import sha256, write_file

log = logging.getLogger(__name__)
_CODE = ("service.engine.backbones", "service.engine.onnx_backbone")
_SUM = 64  # hexadecimal digits of the SHA-256 before the data


@dataclass(frozen=True)
class Kept:
    """`weights_sha256`: of the tensors that are used, as a memory bank records it."""

    weights_sha256: str
    exported: Exported


class KeptExports:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, weights: Path) -> Kept | None:
        """None when there is none of this weight file, code and libraries, or it is damaged."""
        try:
            data = self._path(name, weights).read_bytes()
            if data[:_SUM].decode() != sha256(data[_SUM:]):
                raise ValueError("it is damaged")
            read = load(data[_SUM:])
            proofs = tuple(read[key] for key in sorted(read) if key.startswith("proof"))
            exported = Exported(name, read["model"].tobytes(), proofs)
            return Kept(read["weights_sha256"].tobytes().decode(), exported)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            log.warning("kept export not used", extra={"detail": str(error)})
            return None

    def write(self, weights: Path, kept: Kept) -> None:
        """In the place of older ones of the same backbone. A disk that takes nothing costs time at the next start."""
        exported = kept.exported
        arrays = {f"proof{number}": np.ascontiguousarray(proof) for number, proof in enumerate(exported.proofs)}
        arrays["model"] = np.frombuffer(exported.model, np.uint8)
        arrays["weights_sha256"] = np.frombuffer(kept.weights_sha256.encode(), np.uint8)
        data = save(arrays)
        try:
            for older in self._folder.glob(f"{exported.name}-*.safetensors"):
                older.unlink()
            write_file(self._path(exported.name, weights), sha256(data).encode() + data)
        except (OSError, DiskFull) as error:
            log.warning("export not kept", extra={"detail": str(error)})

    def _path(self, name: str, weights: Path) -> Path:
        return self._folder / f"{name}-{_key(weights)[:16]}.safetensors"


def _key(weights: Path) -> str:
    with open(weights, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(f"{weights.name} {torch.__version__} {onnxruntime.__version__}".encode())
    for module in _CODE:
        digest.update(_compiled(module))
    return digest.hexdigest()


def _compiled(module: str) -> bytes:
    """A hash of the code itself, in a checkout and in a bundle, so that no version number has to be kept up."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.loader is not None
    return marshal.dumps(spec.loader.get_code(module))  # type: ignore[attr-defined]  # every loader of ours has it
