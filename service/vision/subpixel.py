"""Patches of a picture prepared for correlation (grey, shrunk, smoothed, turned, unit norm), and sub-pixel peaks."""

from __future__ import annotations

import cv2
import numpy as np

from service.vision.roi_picture import rotation

MIN_CONTRAST = 1.0  # grey levels, standard deviation: below it there is nothing but noise
BLUR_SIGMA_PX = 0.8  # takes noise and interpolation's own blur away, before sub-pixel comparison
Box = tuple[float, float, float, float]  # left, top, right, bottom


def unit_norm(patch: np.ndarray) -> np.ndarray | None:
    """Zero mean, unit norm; None without contrast."""
    centred = patch - patch.mean()
    norm = float(np.linalg.norm(centred))
    return centred / norm if norm > MIN_CONTRAST * patch.size**0.5 else None


def turned_crop(picture: np.ndarray, middle: np.ndarray, angle_deg: float, size: tuple[int, int]) -> np.ndarray:
    """The part of a picture of `size` (w, h) around a point, un-turned by `angle_deg`."""
    turn = rotation(angle_deg)
    to_picture = np.column_stack([turn, middle - turn @ [(size[0] - 1) / 2, (size[1] - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, to_picture, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def peak(values: np.ndarray) -> np.ndarray:
    """Float64 (2,), x and y of the maximum, between pixels: the top of a parabola through it and its neighbours."""
    _, _, _, (x, y) = cv2.minMaxLoc(values)
    return np.array([x + _top(values[y], x), y + _top(values[:, x], y)])


def peak_of(line: np.ndarray) -> float:
    at = int(line.argmax())
    return at + _top(line, at)


def _top(line: np.ndarray, at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(value) for value in line[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def grey_of(picture_rgb: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Uint8 grey of a box (left, top, right, bottom) as far as it lies in the picture, and its first pixel (x, y)."""
    height, width = picture_rgb.shape[:2]
    left, top = min(max(0, int(box[0])), width - 1), min(max(0, int(box[1])), height - 1)
    right, bottom = max(left + 1, int(np.ceil(box[2]))), max(top + 1, int(np.ceil(box[3])))
    return cv2.cvtColor(picture_rgb[top:bottom, left:right], cv2.COLOR_RGB2GRAY), np.array([left, top], np.float64)


def box_around(middle: np.ndarray, reach: float) -> Box:
    return float(middle[0] - reach), float(middle[1] - reach), float(middle[0] + reach), float(middle[1] + reach)


def smoothed(grey: np.ndarray, shrink: int) -> np.ndarray:
    return cv2.GaussianBlur(shrunk(grey, shrink).astype(np.float32), (0, 0), BLUR_SIGMA_PX)


def shrunk(grey: np.ndarray, factor: int) -> np.ndarray:
    """Mean over squares of `factor` px; incomplete squares at the right and lower edge are dropped."""
    if factor == 1:
        return grey
    columns, rows = max(1, grey.shape[1] // factor), max(1, grey.shape[0] // factor)
    whole = grey[: rows * factor, : columns * factor]
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
