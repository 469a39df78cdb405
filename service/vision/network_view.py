"""How an ROI picture is laid out for the network, and how its map lies in the ROI picture. Pure numpy + OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from service.contract.shapes import Shape
from service.vision.anomaly_map import MapPlace
from service.vision.masks import bounding_box, patch_mask, pixel_mask

# Resolution of the anomaly map. Patches are 8 pixels apart, so 4 lose nothing and cost a quarter of the network's size.
MAP_PX_PER_PATCH = 4
# The network's input keeps the picture's aspect ratio up to this; its sides are multiples of what its stages divide by.
LARGEST_ASPECT = 4.0
# Shrinking by more than this (in pixels, not sides) averages over areas; below it, interpolation aliases nothing.
AREA_FROM = 1.5
MULTIPLE = 32


@dataclass(frozen=True, eq=False)
class NetworkView:
    """Crop box (x, y, w, h) in the ROI picture, (height, width) of the network's input, masks, and the map's place.

    `patches` bool (gh, gw), `mask` bool (4 gh, 4 gw); `shape` is what they were made for.
    """

    crop: tuple[int, int, int, int]
    input_hw: tuple[int, int]
    patches: np.ndarray
    mask: np.ndarray
    place: MapPlace
    shape: Shape | None

    @property
    def grid(self) -> tuple[int, int]:
        rows, columns = self.patches.shape
        return rows, columns

    @property
    def inspected_px(self) -> int:
        return int(self.mask.sum())

    def picture(self, image_rgb: np.ndarray) -> np.ndarray:
        """The network's input, uint8 (*input_hw, 3), of an ROI picture uint8 (h, w, 3)."""
        x, y, w, h = self.crop
        crop = image_rgb[y : y + h, x : x + w]
        shrinks = w * h > AREA_FROM * self.input_hw[0] * self.input_hw[1]
        return cv2.resize(crop, self.input_hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


@lru_cache(maxsize=256)
def network_view(
    shape: Shape | None, height: int, width: int, input_size: int, stride: int, largest_aspect: float = LARGEST_ASPECT
) -> NetworkView:
    """The crop to the shape's bounding box, scaled to about `input_size`² pixels. Raises InvalidShape.

    Cached: a camera sends the same size and shape for every part, and a mask of a large picture takes milliseconds.
    """
    inside = pixel_mask(shape, height, width)
    x, y, w, h = bounding_box(inside)
    input_hw = input_sides(h, w, input_size, largest_aspect)
    grid = input_hw[0] // stride, input_hw[1] // stride
    map_hw = grid[0] * MAP_PX_PER_PATCH, grid[1] * MAP_PX_PER_PATCH
    crop = inside[y : y + h, x : x + w]
    return NetworkView(
        crop=(x, y, w, h),
        input_hw=input_hw,
        patches=patch_mask(crop, grid),
        mask=patch_mask(crop, map_hw),
        place=MapPlace(left=x, top=y, scale_x=w / map_hw[1], scale_y=h / map_hw[0], roi_width=width, roi_height=height),
        shape=shape,
    )


@lru_cache(maxsize=256)
def roi_side(shape: Shape | None, height: int, width: int) -> float:
    """Side in pixels of the square with the area of the shape's bounding box. Raises InvalidShape."""
    _, _, w, h = bounding_box(pixel_mask(shape, height, width))
    return float((w * h) ** 0.5)


def input_sides(height: int, width: int, input_size: int, largest_aspect: float) -> tuple[int, int]:
    """Height and width with the aspect ratio of the crop, within limits, and the area of a square of `input_size`."""
    root = min(max(width / height, 1 / largest_aspect), largest_aspect) ** 0.5
    return _side(input_size / root), _side(input_size * root)


def _side(length: float) -> int:
    return max(2, round(length / MULTIPLE)) * MULTIPLE
