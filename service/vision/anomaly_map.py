"""From patch distances to what is judged and drawn: anomaly map, score, regions, heat map. Pure numpy + OpenCV.

One rule ties them together. A part is bad when somewhere the map reaches the threshold over a connected area of at
least `area_px`. The score is the highest level at which that still holds, so `score >= threshold` and "there is a
region to draw" are the same statement; neither depends on how large the rest of the ROI is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from service.errors import EngineFailed

CONNECTIVITY = 8
# An area larger than this share of the inspected pixels could never be reached: the ROI itself must be able to fail.
LARGEST_AREA_SHARE = 0.1


@dataclass(frozen=True)
class MapPlace:
    """Where a map lies in its ROI picture: pixel (x, y) of the map is (left + x * scale_x, top + y * scale_y) there."""

    left: int
    top: int
    scale_x: float
    scale_y: float
    roi_width: int
    roi_height: int

    def area_px(self, area_mm2: float, mm_per_px: float, inspected_px: int) -> int:
        """`area_mm2` in pixels of the map, at least one and at most a tenth of the pixels that are inspected."""
        pixels = area_mm2 / mm_per_px**2 / (self.scale_x * self.scale_y)
        return max(1, min(round(pixels), int(LARGEST_AREA_SHARE * inspected_px)))


@dataclass(frozen=True)
class Region:
    """A connected piece of the map at or above the threshold, in pixels of the ROI picture."""

    bbox: tuple[int, int, int, int]
    area_px: float
    area_mm2: float
    score: float
    contour: list[list[int]]


def spread(distances: np.ndarray, patches: np.ndarray, mask: np.ndarray, *, sigma_px: float) -> np.ndarray:
    """Anomaly map, float32 (h, w), of patch distances (gh, gw); 0 outside the bool (h, w) `mask`.

    Only patches in the bool (gh, gw) `patches` count: dividing by the spread weights keeps values at the border of the
    shape from being diluted by its outside (normalised convolution, Knutsson & Westin 1993).
    Raises EngineFailed when a distance is not a finite number: such a map must not look calm.
    """
    if not np.isfinite(distances[patches]).all():
        raise EngineFailed("The engine computed a distance that is not a number: inspect the part again.")
    size = mask.shape[1], mask.shape[0]
    if patches.all():
        calm: np.ndarray = _smooth(distances, size, sigma_px) * mask
        return calm
    weights = patches.astype(np.float32)
    values = _smooth(np.where(patches, distances, 0).astype(np.float32), size, sigma_px)
    spread_weights = _smooth(weights, size, sigma_px)
    normalised = np.zeros(mask.shape, np.float32)
    np.divide(values, spread_weights, out=normalised, where=mask & (spread_weights > 1e-3))
    return normalised


def score(anomaly_map: np.ndarray, area_px: int) -> float:
    """Highest level at which a connected area of at least `area_px` pixels of the float32 (h, w) map is reached."""
    highest = float(np.partition(anomaly_map.ravel(), -area_px)[-area_px])  # enough pixels, connected or not
    if area_px == 1 or _reaches(anomaly_map, highest, area_px):
        return highest
    side = int(np.ceil(np.sqrt(area_px)))
    lowest = float(cv2.erode(anomaly_map, np.ones((side, side), np.uint8), borderValue=0).max())  # a square reaches it
    return _search(anomaly_map, area_px, lowest, highest)


def regions(anomaly_map: np.ndarray, threshold: float, area_px: int, place: MapPlace, mm_per_px: float) -> list[Region]:
    """Connected areas of at least `area_px` map pixels where the map reaches the threshold, largest first."""
    reached = (anomaly_map >= np.float64(threshold)).astype(np.uint8)  # float32 could round the threshold down
    count, labels, stats, _ = cv2.connectedComponentsWithStats(reached, connectivity=CONNECTIVITY)
    found = [
        _region(anomaly_map, labels, label, stats[label], place, mm_per_px)
        for label in range(1, count)
        if stats[label, cv2.CC_STAT_AREA] >= area_px
    ]
    return sorted(found, key=lambda region: region.area_px, reverse=True)


def heatmap(anomaly_map: np.ndarray, threshold: float, place: MapPlace, *, calm: float = 0.0) -> np.ndarray:
    """8-bit grey, ROI size: 0 up to `calm`, what good patches typically have, 128 at the threshold, linear in between.

    The scale is fixed by the model, not stretched per picture: a good part looks calm.
    """
    calm = min(calm, 0.9 * threshold)
    grey = np.clip((anomaly_map - calm) * (128 / max(threshold - calm, 1e-12)), 0, 255).astype(np.uint8)
    # rounding must not put a value on the other side of the threshold
    grey = np.where(anomaly_map >= np.float64(threshold), np.maximum(grey, 128), np.minimum(grey, 127)).astype(np.uint8)
    return on_roi(grey, place)


def on_roi(anomaly_map: np.ndarray, place: MapPlace) -> np.ndarray:
    """The map, or one of its type, in the size of the ROI picture; 0 around it."""
    width = max(1, round(anomaly_map.shape[1] * place.scale_x))
    height = max(1, round(anomaly_map.shape[0] * place.scale_y))
    roi = np.zeros((place.roi_height, place.roi_width), anomaly_map.dtype)
    roi[place.top : place.top + height, place.left : place.left + width] = cv2.resize(anomaly_map, (width, height))
    return roi


def _smooth(values: np.ndarray, size: tuple[int, int], sigma_px: float) -> np.ndarray:
    large = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(large, (0, 0), sigma_px) if sigma_px > 0 else large


def _reaches(anomaly_map: np.ndarray, level: float, area_px: int) -> bool:
    reached = (anomaly_map >= np.float32(level)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(reached, connectivity=CONNECTIVITY)
    return bool(count > 1 and stats[1:, cv2.CC_STAT_AREA].max() >= area_px)


def _search(anomaly_map: np.ndarray, area_px: int, lowest: float, highest: float) -> float:
    """Bisection over the map's own values from `lowest`, which is reached, to `highest`, which is not: exact."""
    values = np.unique(anomaly_map[(anomaly_map >= np.float32(lowest)) & (anomaly_map <= np.float32(highest))])
    low, high = 0, len(values) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _reaches(anomaly_map, float(values[middle]), area_px) else (low, middle)
    return float(values[low])


def _region(
    anomaly_map: np.ndarray, labels: np.ndarray, label: int, stats: np.ndarray, place: MapPlace, mm_per_px: float
) -> Region:
    x, y, w, h, area = (int(value) for value in stats)
    piece = labels[y : y + h, x : x + w] == label
    outlines, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=len)[:, 0, :] + (x, y)
    points = [
        [
            min(round(place.left + (px + 0.5) * place.scale_x), place.roi_width - 1),
            min(round(place.top + (py + 0.5) * place.scale_y), place.roi_height - 1),
        ]
        for px, py in outline.tolist()
    ]
    left, top = round(place.left + x * place.scale_x), round(place.top + y * place.scale_y)
    right, bottom = round(place.left + (x + w) * place.scale_x), round(place.top + (y + h) * place.scale_y)
    area_px = area * place.scale_x * place.scale_y
    return Region(
        bbox=(left, top, max(1, right - left), max(1, bottom - top)),
        area_px=area_px,
        area_mm2=area_px * mm_per_px**2,
        score=float(anomaly_map[y : y + h, x : x + w][piece].max()),
        contour=points,
    )
