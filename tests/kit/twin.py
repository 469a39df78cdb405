"""The engine's numpy twin: the same verbs, no torch. Patches are described by their colour, contrast and edges."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from service.engine.protocol import MemoryBank, Recipe
from service.errors import ForeignBackbone

STRIDE = 8


class TwinEngine:
    device, device_name, default_backbone = "cpu", "numpy twin", "twin"

    def __init__(self, weights_sha256: str = "0" * 64) -> None:
        self.weights_sha256 = weights_sha256
        self.lost_reason: str | None = None

    def recipe(self, backbone: str = "auto", input_size: int = 0, roi_side: float = 0.0) -> Recipe:  # noqa: ARG002
        if backbone not in ("auto", "twin"):
            raise ForeignBackbone(f"The weights of {backbone} are not here.")
        return Recipe("twin", self.weights_sha256, ("colour", "edges"), input_size or 128, STRIDE, 0)

    def embed(self, recipe: Recipe, pictures: Sequence[np.ndarray]) -> np.ndarray:
        images = np.stack(pictures).astype(np.float32) / 255
        rows, columns = images.shape[1] // recipe.stride, images.shape[2] // recipe.stride
        cells = images.reshape(-1, rows, STRIDE, columns, STRIDE, 3).swapaxes(2, 3)
        cells = cells.reshape(-1, rows, columns, STRIDE**2, 3)
        return np.concatenate([cells.mean(3), cells.std(3), cells.min(3)], axis=-1)

    def vectors(self, patches: np.ndarray) -> np.ndarray:
        return patches.reshape(len(patches), -1, patches.shape[-1])

    def place(self, bank: MemoryBank) -> MemoryBank:
        return bank

    def distances(
        self, patches: np.ndarray, banks: Sequence[MemoryBank], insides: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        found = []
        for picture, bank, inside in zip(patches, banks, insides, strict=True):
            queries = picture.reshape(-1, picture.shape[-1]) @ bank.projection + bank.offset
            squared = ((queries[:, None, :] - bank.vectors[None]) ** 2).sum(-1).min(1)
            distances = np.sqrt(squared).reshape(inside.shape).astype(np.float32)
            found.append(np.where(inside, distances, np.float32(0)))
        return found

    def coreset(self, vectors: np.ndarray, size: int, seed: int) -> Generator[float, None, np.ndarray]:
        chosen = [int(np.random.default_rng(seed).integers(len(vectors)))]
        nearest = np.linalg.norm(vectors - vectors[chosen[0]], axis=1)
        while len(chosen) < size:
            yield len(chosen) / size
            chosen.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[chosen[-1]], axis=1))
        return np.array(chosen)

    def memory_mb(self) -> float:
        return 0.0

    def lost(self) -> str | None:
        return self.lost_reason
