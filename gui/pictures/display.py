"""Pictures in display size, and the heat of an NG part's defects as one layer over them."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from gui.pictures.heat import heat_layer
from service.contract.frames import FrameRoi, InspectAnswer

SIDE_PX, THUMBNAIL_PX = 1600, 160
MAX_SHOWN_MPX = 60.0  # decoded, 60 MP take 180 MB: more time and memory than looking at the picture is worth
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]
_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


@dataclass(frozen=True)
class Displayed:
    """JPEGs; `width`, `height` of the picture itself, in pixels."""

    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int


def displayed(data: bytes) -> Displayed | None:
    """None for data that is no picture, and for a picture that is too large to be shown."""
    size = picture_size(data)
    if size is None or size[0] * size[1] > MAX_SHOWN_MPX * 1e6:
        return None
    # decoded at a half or a quarter, which is quick for JPEG; the longer side stays above SIDE_PX
    reduction = next(factor for factor in (4, 2, 1) if factor == 1 or max(size) // factor >= SIDE_PX)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[reduction])
    except cv2.error:
        return None
    if image is None:
        return None
    # a JPEG may carry a turn by 90°, which OpenCV applies and the header's size does not
    upright = size if (size[0] >= size[1]) == (image.shape[1] >= image.shape[0]) else size[::-1]
    return Displayed(jpeg(image, SIDE_PX), jpeg(image, THUMBNAIL_PX), *upright)


def picture_size(data: bytes | None) -> tuple[int, int] | None:
    """Width and height by the header alone; None for no picture, and for one that cannot be read."""
    try:
        with Image.open(io.BytesIO(data or b"")) as found:
            return found.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


def jpeg(image: np.ndarray, side_px: int) -> bytes:
    """A JPEG of BGR or grey uint8 (h, w[, 3]), at most `side_px` long."""
    scale = side_px / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image, _QUALITY)[1].tobytes()


def heat_over(answer: InspectAnswer) -> bytes | None:
    """RGBA PNG over the whole picture, at most SIDE_PX long: only the defects of ROIs that are NG."""
    hot = [roi for roi in answer.rois if roi.verdict == "NG" and roi.heatmap_png_base64 and roi.regions]
    if not hot:
        return None
    scale = min(1.0, SIDE_PX / max(answer.width, answer.height))
    size = (max(1, round(answer.width * scale)), max(1, round(answer.height * scale)))
    layer = np.zeros((size[1], size[0], 4), np.uint8)
    for roi in hot:
        drawn = _heat_of(roi, scale, size)
        # where two ROIs overlap, the hotter pixel is seen
        layer = np.where(drawn[..., 3:] > layer[..., 3:], drawn, layer)
    return cv2.imencode(".png", cv2.cvtColor(layer, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _heat_of(roi: FrameRoi, scale: float, size: tuple[int, int]) -> np.ndarray:
    """RGBA uint8 (h, w, 4) of one ROI at its place, cut to its regions."""
    try:
        png = heat_layer(base64.b64decode(roi.heatmap_png_base64 or ""))
        with Image.open(io.BytesIO(png)) as picture:
            heat = np.asarray(picture.convert("RGBA"))
    except (OSError, binascii.Error):
        return np.zeros((size[1], size[0], 4), np.uint8)
    placed = cv2.warpAffine(heat, np.array(roi.to_frame) * scale, size, flags=cv2.INTER_LINEAR)
    inside = np.zeros(placed.shape[:2], np.uint8)
    contours = [np.rint(np.array(region.contour_frame) * scale).astype(np.int32) for region in roi.regions]
    cv2.fillPoly(inside, [contour for contour in contours if len(contour)], (1,))
    # one pixel more, because rounding moves a contour by up to half a pixel
    inside = cv2.dilate(inside, np.ones((3, 3), np.uint8))
    return np.where(inside[..., None] > 0, placed, np.uint8(0))
