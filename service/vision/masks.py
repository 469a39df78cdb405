"""Shapes in an ROI picture: where a part is inspected, as a mask of pixels or of patches. Pure numpy + OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from service.contract.shapes import Annulus, Rect, Shape
from service.errors import InvalidShape


def pixel_mask(shape: Shape | None, height: int, width: int) -> np.ndarray:
    """Bool (height, width): true where a pixel's centre lies in the shape. Raises InvalidShape when none does."""
    if shape is None:
        return np.ones((height, width), bool)
    y, x = np.ogrid[0:height, 0:width]
    if isinstance(shape, Rect):
        mask = (x >= shape.x) & (x < shape.x + shape.w) & (y >= shape.y) & (y < shape.y + shape.h)
    else:
        squared = (x - shape.cx) ** 2 + (y - shape.cy) ** 2
        mask = squared <= shape.r**2
        if isinstance(shape, Annulus):
            mask &= squared >= shape.r_inner**2
    if not mask.any():
        raise InvalidShape(
            f"shape: no pixel of the {width}x{height} picture lies inside the {shape.kind}; "
            "give its coordinates in pixels of the picture that is sent."
        )
    return mask


def bounding_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x, y, w, h of the true pixels of a bool (h, w) mask that has some."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def patch_mask(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Bool (grid h, grid w): patches at least half of whose cell lies in the bool (h, w) pixel mask.

    A mask too thin for that keeps the patches it covers most, so that a valid shape always has patches.
    """
    cover = cv2.resize(mask.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA)
    return cover >= min(0.5, float(cover.max()))
