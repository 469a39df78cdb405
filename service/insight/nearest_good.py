"""Nearest good patches of a patch, and places of patches in their pictures. Pure numpy + OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from service.vision.network_view import NetworkView

# Rows of a bank compared at once: 8,192 of 512 float64 values are 34 MB.
ROWS = 8_192
# Queries compared at once with a whole bank, which has up to 50,000 vectors: 100 MB.
QUERIES = 256
Cell = tuple[int, int]


def distances(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Euclidean distances float64 (q, m) of queries (q, d) to vectors (m, d)."""
    wide = queries.astype(np.float64)
    parts = [_distances(wide, vectors[start : start + ROWS]) for start in range(0, len(vectors), ROWS)]
    return np.concatenate(parts, axis=1)


def two_owners(
    queries: np.ndarray, vectors: np.ndarray, owners: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of queries (q, d): distances (q,) to the nearest of vectors (m, d), its owner (q,), distances (q,) without it.

    The last are infinite where all vectors have one owner.
    """
    parts = [_two(queries[start : start + QUERIES], vectors, owners) for start in range(0, len(queries), QUERIES)]
    nearest, owner, without = (np.concatenate(part) for part in zip(*parts, strict=True))
    return nearest, owner, without


def cells_of(contour: Sequence[Sequence[int]], view: NetworkView) -> np.ndarray:
    """Bool (gh, gw): the compared patches that a region's contour (pixels of the ROI picture) touches, at least one."""
    area = np.zeros((view.place.roi_height, view.place.roi_width), np.uint8)
    cv2.fillPoly(area, [np.array(contour, np.int32)], 1)
    x, y, w, h = view.crop
    rows, columns = view.grid
    inside = cv2.resize(area[y : y + h, x : x + w].astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    touched: np.ndarray = (inside > 0) & view.patches
    return touched if touched.any() else _nearest_cell(contour, view)


def box_of(cell: Cell, view: NetworkView) -> tuple[float, float, float, float]:
    """x, y, w, h in pixels of the ROI picture of the patch in that row and column."""
    x, y, w, h = view.crop
    width, height = w / view.grid[1], h / view.grid[0]
    return x + cell[1] * width, y + cell[0] * height, width, height


def of_different_owners(distance: np.ndarray, owners: np.ndarray, k: int) -> list[int]:
    """Rows of the `k` nearest, (m,) distances, at most one of each owner while there are others; nearest first."""
    order = np.argsort(distance, kind="stable")
    _, firsts = np.unique(owners[order], return_index=True)
    chosen = np.sort(firsts)[:k]
    rest = np.setdiff1d(np.arange(len(order)), chosen)[: k - len(chosen)]
    return [int(row) for row in order[np.sort(np.concatenate([chosen, rest]))]]


def _distances(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    rows = vectors.astype(np.float64)
    squared = (queries**2).sum(1)[:, None] - 2 * queries @ rows.T + (rows**2).sum(1)
    found: np.ndarray = np.sqrt(np.maximum(squared, 0))
    return found


def _two(queries: np.ndarray, vectors: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    away = distances(queries, vectors)
    owner = owners[away.argmin(1)]
    return away.min(1), owner, np.where(owners == owner[:, None], np.inf, away).min(1)


def _nearest_cell(contour: Sequence[Sequence[int]], view: NetworkView) -> np.ndarray:
    """A region on the border of the shape may touch only patches that are not compared: the one next to it."""
    middle = np.array(contour, np.float64).mean(0)
    cells = np.argwhere(view.patches)
    boxes = np.array([box_of((int(row), int(column)), view) for row, column in cells])
    away = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - middle, axis=1)
    found = np.zeros(view.grid, bool)
    found[tuple(cells[away.argmin()])] = True
    return found
