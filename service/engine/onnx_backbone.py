"""A backbone in ONNX Runtime: on a CPU two to four times as fast as torch, used only when it proves equal to it."""

from __future__ import annotations

import io
import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import torch

from service.engine.backbones import Backbone
from service.engine.lanes import Lanes

log = logging.getLogger(__name__)
# Relative to the largest value; float32 in another order of additions gives about 1e-6.
TOLERANCE = 1e-4
OPSET = 18


class ParityError(Exception):
    """ONNX Runtime computes something else than torch, or nothing: torch has to serve."""


@dataclass(frozen=True)
class Exported:
    """A network as ONNX Runtime reads it, and what torch computes with it for `_proof_pictures`."""

    name: str
    model: bytes
    proofs: tuple[np.ndarray, ...]


def export(backbone: Backbone) -> Exported:
    """Raises ParityError when torch cannot export it."""
    try:
        model = _export(backbone)
    except (RuntimeError, ValueError) as error:
        raise ParityError(f"{backbone.spec.name} cannot be exported: {error}") from error
    proofs = tuple(backbone.patches(images).cpu().numpy() for images in _proof_pictures())
    return Exported(backbone.spec.name, model, proofs)


class OnnxBackbone:
    """The patches of a torch backbone, in float32, for any number and size of pictures. Raises ParityError.

    One picture gets all threads of `lanes`. Several go side by side with one thread each, which is a fifth faster than
    one after the other with all: two threads never share one convolution evenly.
    """

    def __init__(self, exported: Exported, lanes: Lanes) -> None:
        self._lanes = lanes
        try:
            self._alone = _session(exported.model, lanes.count)
            self._beside = _session(exported.model, 1) if lanes.count > 1 else self._alone
            self._prove_parity(exported)
        except (RuntimeError, ValueError) as error:
            raise ParityError(f"ONNX Runtime cannot run {exported.name}: {error}") from error

    def patches(self, images: np.ndarray) -> np.ndarray:
        """float32 (n, rows, columns, D) of uint8 RGB (n, h, w, 3)."""
        if len(images) == 1:
            return _run(self._alone, images)
        return np.concatenate(self._lanes.map(lambda image: _run(self._beside, image[None]), images))

    def _prove_parity(self, exported: Exported) -> None:
        for images, theirs in zip(_proof_pictures(), exported.proofs, strict=True):
            ours = self.patches(images)
            difference = np.abs(ours - theirs).max() / np.abs(theirs).max() if ours.shape == theirs.shape else np.inf
            if not difference <= TOLERANCE:
                raise ParityError(f"{exported.name}: relative difference {difference:.1e}, allowed {TOLERANCE:.0e}")


def _proof_pictures() -> list[np.ndarray]:
    """Two at once, one not square: sizes other than the exported one must agree too."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, shape, np.uint8) for shape in ((1, 96, 96, 3), (2, 64, 128, 3))]


def _session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin between two pictures take the cores from whoever decodes the next one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, images: np.ndarray) -> np.ndarray:
    found: np.ndarray = session.run(None, {"images": images})[0]
    return found


def _export(backbone: Backbone) -> bytes:
    """ONNX model of the network, batch and sides left open.

    torch's older exporter: a second or two where the newer one takes 6 to 100, and it needs no further packages.
    """
    model: Any = io.BytesIO()  # the older exporter takes files too, its types do not say so
    example = torch.zeros((1, 64, 64, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its age, and of shapes it takes for constant: parity is proved instead
        torch.onnx.export(
            backbone.network, (example,), model, dynamo=False, opset_version=OPSET,
            input_names=["images"], output_names=["patches"], dynamic_axes={"images": {0: "n", 1: "h", 2: "w"}},
        )  # fmt: skip
    data: bytes = model.getvalue()
    return data
