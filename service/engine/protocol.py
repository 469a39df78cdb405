"""The protocol of an engine: four methods with numpy at the border. `torch_engine` is the real one.

Vectors are float32. A grid is (rows, columns) of patches, row by row.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """How a picture becomes patch vectors. A memory bank is only ever used with the recipe that made it.

    Pictures have about `input_size`² pixels; patches are `stride` pixels apart and compared in `dims` dimensions
    (0 = all).
    """

    backbone: str
    weights_sha256: str
    layers: tuple[str, ...]
    input_size: int
    stride: int
    dims: int


@dataclass(frozen=True)
class MemoryBank:
    """Coreset of good patches.

    `vectors` (m, d); `owners` (m,) int32, the index of the picture each came from;
    `projection` (D, d) and `offset` (d,): a patch x of D values is compared as `x @ projection + offset`.
    """

    vectors: np.ndarray
    owners: np.ndarray
    projection: np.ndarray
    offset: np.ndarray


Patches = Any  # lives on the device; only the engine that made it looks inside
PlacedBank = Any


class Engine(Protocol):
    device: str
    device_name: str
    default_backbone: str

    def recipe(self, backbone: str = "auto", input_size: int = 0, roi_side: float = 0.0) -> Recipe:
        """Load the backbone (once). Raises ForeignBackbone.

        `input_size` 0: that of the ROI pictures, `roi_side`, as far as the backbone is good for it: a picture that is
        scaled down loses the small defects.
        """

    def embed(self, recipe: Recipe, pictures: Sequence[np.ndarray]) -> Patches:
        """Patches of n pictures uint8 RGB (h, w, 3) of one size, in one forward pass. Raises DeviceLost."""

    def vectors(self, patches: Patches) -> np.ndarray:
        """Copy to the host: (n, rows * columns, D)."""

    def place(self, bank: MemoryBank) -> PlacedBank:
        """Copy to the device."""

    def distances(
        self, patches: Patches, banks: Sequence[PlacedBank], insides: Sequence[np.ndarray]
    ) -> Sequence[np.ndarray]:
        """Distance float32 (rows, columns) of the patches of picture i to their nearest vectors in bank i.

        Only of those in the bool (rows, columns) `insides[i]`; 0 elsewhere.
        """

    def coreset(self, vectors: np.ndarray, size: int, seed: int) -> Generator[float, None, np.ndarray]:
        """Greedy k-center: yields progress in slices of a few ten ms, returns the chosen indices (size,)."""

    def memory_mb(self) -> float:
        """Device memory in use; 0 on a CPU."""

    def lost(self) -> str | None:
        """Why the device cannot be used until the process is started again; None when it can."""
