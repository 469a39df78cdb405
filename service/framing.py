"""How a ROI picture is laid out for the network, and how its map lies in the ROI picture. Pure numpy + OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from service.anomaly_map import Frame
from service.geometry import Shape, bounding_box, patch_mask, pixel_mask

# Resolution of the anomaly map. Patches are 8 pixels apart, so 4 lose nothing and cost a quarter of the network's size.
MAP_PX_PER_PATCH = 4


@dataclass(frozen=True, eq=False)
class Layout:
    """Crop box (x, y, w, h) in the ROI picture, the network's input side, masks of patches and map, and the map's frame.

    `patches` bool (gh, gw), `mask` bool (4 gh, 4 gw).
    """

    crop: tuple[int, int, int, int]
    input_size: int
    patches: np.ndarray
    mask: np.ndarray
    frame: Frame

    @property
    def inspected_px(self) -> int:
        return int(self.mask.sum())

    def picture(self, image_rgb: np.ndarray) -> np.ndarray:
        """The network's input, uint8 (input, input, 3), of a ROI picture uint8 (h, w, 3)."""
        x, y, w, h = self.crop
        crop = image_rgb[y : y + h, x : x + w]
        shrinks = max(crop.shape[:2]) > self.input_size
        size = (self.input_size, self.input_size)
        return cv2.resize(crop, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


@lru_cache(maxsize=256)
def lay_out(shape: Shape | None, height: int, width: int, input_size: int, stride: int) -> Layout:
    """The crop to the shape's bounding box, scaled to a square input. Raises InvalidShape.

    Cached: a camera sends the same size and shape for every part, and a mask of a large picture takes milliseconds.
    """
    inside = pixel_mask(shape, height, width)
    x, y, w, h = bounding_box(inside)
    grid = input_size // stride
    side = grid * MAP_PX_PER_PATCH
    crop = inside[y : y + h, x : x + w]
    return Layout(
        crop=(x, y, w, h),
        input_size=input_size,
        patches=patch_mask(crop, (grid, grid)),
        mask=patch_mask(crop, (side, side)),
        frame=Frame(left=x, top=y, scale_x=w / side, scale_y=h / side, roi_width=width, roi_height=height),
    )
