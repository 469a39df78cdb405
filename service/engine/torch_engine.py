"""The real engine: torch on CUDA; on a CPU, ONNX Runtime for the backbone where it proves equal to torch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import psutil
import torch

from service.engine.backbones import BACKBONES, load_backbone
from service.engine.coreset import greedy_coreset
from service.engine.lanes import Lanes
from service.engine.nearest import PlacedVectors, linear, nearest, place
from service.engine.onnx_backbone import OnnxBackbone, ParityError, export
from service.engine.onnx_cache import Kept, KeptExports
from service.engine.protocol import MemoryBank, Recipe
from service.engine.weights import best_available, require_weights, weights_folders
from service.errors import DeviceLost, EngineFailed, ForeignBackbone, NotReady
from service.settings import Settings

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

LOST = "The GPU does not answer any more: the service has to be started again; if that does not help, restart the PC."


@dataclass(frozen=True)
class PlacedBank:
    """A memory bank on the device: vectors, and the projection (d, D) and offset (d,) that queries go through."""

    vectors: PlacedVectors
    projection: torch.Tensor
    offset: torch.Tensor


def _names_device_faults(
    method: Callable[Concatenate[TorchEngine, P], R],
) -> Callable[Concatenate[TorchEngine, P], R]:
    """CUDA's errors as ours. After most of them the process's context is unusable: that is remembered."""

    @wraps(method)
    def guarded(self: TorchEngine, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._lost:
            raise DeviceLost(self._lost)
        try:
            return method(self, *args, **kwargs)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise EngineFailed(
                "The GPU's memory is full: end other programs on it, or lower BACKEND_BATCH_SIZE."
            ) from error
        except torch.AcceleratorError as error:
            self._lost = LOST
            log.error("device lost", extra={"detail": str(error)})
            raise DeviceLost(LOST) from error

    return guarded  # type: ignore[return-value]  # wraps() keeps the method's form


class TorchEngine:
    """`Engine` on one device. Backbones are loaded once and kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._torch_device = choose_device(settings.device)
        self.device = str(self._torch_device)
        self.device_name = _device_name(self._torch_device)
        self._lanes = Lanes(settings.cores or psutil.cpu_count(logical=False) or 1)
        torch.set_num_threads(self._lanes.count)
        self._folders = weights_folders(settings.weights_dir, settings.data_root)
        self._kept = KeptExports(settings.data_root / "cache")
        self._loaded: dict[str, _Loaded] = {}
        self._lock = threading.Lock()
        self._lost: str | None = None
        name = best_available(self._folders).name if settings.backbone == "auto" else settings.backbone
        self.default_backbone = name
        self._load(name)

    def recipe(self, backbone: str = "auto", input_size: int = 0, roi_side: float = 0.0) -> Recipe:
        name = self.default_backbone if backbone == "auto" else backbone
        try:
            loaded = self._load(name)
        except NotReady as missing:
            raise ForeignBackbone(missing.detail) from missing
        spec = BACKBONES[name]
        return Recipe(
            backbone=name,
            weights_sha256=loaded.weights_sha256,
            layers=spec.layers,
            input_size=input_size or round(min(max(roi_side, spec.least_input), spec.most_input)),
            stride=spec.stride,
            dims=spec.dims,
        )

    @_names_device_faults
    def embed(self, recipe: Recipe, pictures: Sequence[np.ndarray]) -> torch.Tensor:
        """Patches (n, rows, columns, D) on the device."""
        return self._loaded[recipe.backbone].patches(np.stack(pictures))

    @_names_device_faults
    def vectors(self, patches: torch.Tensor) -> np.ndarray:
        n, rows, columns, dims = patches.shape
        found: np.ndarray = patches.reshape(n, rows * columns, dims).float().cpu().numpy()
        return found

    @_names_device_faults
    def place(self, bank: MemoryBank) -> PlacedBank:
        return PlacedBank(
            place(bank.vectors, self._torch_device),
            torch.from_numpy(np.ascontiguousarray(bank.projection.T)).to(self._torch_device),
            torch.from_numpy(bank.offset).to(self._torch_device),
        )

    @_names_device_faults
    def distances(
        self, patches: torch.Tensor, banks: Sequence[PlacedBank], insides: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        looks = list(zip(patches, banks, insides, strict=True))
        if self._torch_device.type == "cpu" and len(looks) > 1:
            found = self._lanes.map(lambda look: self._distances(*look), looks)
        else:
            found = [self._distances(*look) for look in looks]
        return [distances.cpu().numpy() for distances in found]  # all are computed before the first is waited for

    def coreset(self, vectors: np.ndarray, size: int, seed: int) -> Generator[float, None, np.ndarray]:
        placed = torch.from_numpy(vectors).to(self._torch_device)
        chosen = yield from greedy_coreset(placed, size, seed=seed)
        return chosen.cpu().numpy()

    def memory_mb(self) -> float:
        if self._torch_device.type != "cuda" or self._lost:
            return 0.0
        free, total = torch.cuda.mem_get_info(self._torch_device)
        return round((total - free) / 1e6, 1)

    def lost(self) -> str | None:
        return self._lost

    @torch.inference_mode()
    def _distances(self, picture: torch.Tensor, bank: PlacedBank, inside: np.ndarray) -> torch.Tensor:
        chosen = torch.from_numpy(inside).to(picture.device)
        queries = linear(picture[chosen].float(), bank.projection, bank.offset)
        distances = torch.zeros(inside.shape, device=picture.device)
        distances[chosen] = nearest(queries, bank.vectors)[0][:, 0]
        return distances

    def _load(self, name: str) -> _Loaded:
        with self._lock:
            if name not in self._loaded:
                if name not in BACKBONES:
                    raise NotReady(f"No backbone is called {name!r}; there are {', '.join(BACKBONES)}.")
                weights = require_weights(name, self._folders)
                self._loaded[name] = self._fast(name, weights.path) or self._by_torch(name, weights.path)
                log.info(
                    "backbone loaded", extra={"backbone": name, "file": str(weights.path), "source": weights.source}
                )
            return self._loaded[name]

    def _fast(self, name: str, file: Path) -> _Loaded | None:
        """From an earlier export of these weights, if there is one: building the network in torch is half a start."""
        kept = self._kept.read(name, file) if self._torch_device.type == "cpu" else None
        if kept is None:
            return None
        try:
            onnx = OnnxBackbone(kept.exported, self._lanes)
        except ParityError as error:
            log.warning("kept export is replaced", extra={"detail": str(error)})
            return None
        return _Loaded(kept.weights_sha256, lambda images: torch.from_numpy(onnx.patches(images)))

    def _by_torch(self, name: str, file: Path) -> _Loaded:
        backbone = load_backbone(name, file, self._torch_device)
        if self._torch_device.type == "cpu":
            try:
                exported = export(backbone)
                onnx = OnnxBackbone(exported, self._lanes)
            except ParityError as error:
                log.warning("ONNX Runtime does not agree with torch: torch serves", extra={"detail": str(error)})
            else:
                self._kept.write(file, Kept(backbone.weights_sha256, exported))
                return _Loaded(backbone.weights_sha256, lambda images: torch.from_numpy(onnx.patches(images)))
        return _Loaded(backbone.weights_sha256, backbone.patches)


@dataclass(frozen=True)
class _Loaded:
    """`patches`: (n, rows, columns, D) on the device of uint8 RGB (n, h, w, 3)."""

    weights_sha256: str
    patches: Callable[[np.ndarray], torch.Tensor]


def choose_device(wanted: str) -> torch.device:
    """`auto`: the first GPU, else the CPU. Raises NotReady when a device that was named is not there."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise NotReady(f"BACKEND_DEVICE={wanted}, but no CUDA device answers: run `brakedisc doctor`.")
    try:
        device = torch.device("cuda:0" if wanted in ("auto", "cuda") else wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, torch.AcceleratorError) as error:
        raise NotReady(f"BACKEND_DEVICE={wanted} cannot be used ({error}): run `brakedisc doctor`.") from error
    return device


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"
