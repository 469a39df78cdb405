"""ROI pictures as every inspection and every sample of an ROI has them: un-rotated, aligned, of one size.

An ROI is sampled from the frame in one warp, whatever moved or turned it: pixels are interpolated once. The picture is
the bounding box of the shape before it is turned, rounded up to whole pixels. Pure numpy + OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from service.contract.layouts import Roi
from service.contract.shapes import Annulus, Circle, Rect, Shape
from service.errors import RoiOutsideFrame

# An aligned ROI at the very edge may stick out by a part of a pixel: the outermost pixel stands in for it.
MAX_OUTSIDE_PX = 1.0
CIRCLE_POINTS = 128  # the polygon of a circle of 1,000 px stays within 0.3 px of it
Points = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class RoiPicture:
    """`image_rgb` uint8 (h, w, 3); `shape` in its pixels; `to_frame` float64 (2, 3) takes its pixels to the frame's.

    `outline` and `inner_outline` (of a ring, else None): polygons in pixels of the frame, not closed.
    """

    roi_id: str
    image_rgb: np.ndarray
    shape: Shape
    to_frame: np.ndarray
    outline: Points
    inner_outline: Points | None


def roi_pictures(rois: Sequence[Roi], frame_rgb: np.ndarray, matrix: np.ndarray | None) -> list[RoiPicture]:
    """Pictures of ROIs in a frame uint8 (h, w, 3); `matrix` (2, 3) takes the master's pixels to the frame's, None: the
    part lies as in the master. Raises RoiOutsideFrame.
    """
    return [_roi_picture(roi, frame_rgb, matrix) for roi in rois]


def canonical_shape(shape: Shape) -> tuple[Shape, tuple[int, int]]:
    """The shape in the picture of its bounding box, and that picture's (height, width)."""
    if isinstance(shape, Rect):
        return Rect(kind="rect", x=0, y=0, w=shape.w, h=shape.h), (_whole(shape.h), _whole(shape.w))
    side = _whole(2 * shape.r)
    return shape.model_copy(update={"cx": (side - 1) / 2, "cy": (side - 1) / 2}), (side, side)


def cut_out(frame_rgb: np.ndarray, to_frame: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """The ROI picture uint8 (*size_hw, 3) in a frame: one interpolation, the same from the same frame every time."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(frame_rgb, to_frame, size_hw[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def outlines(roi: Roi) -> list[np.ndarray]:
    """Outer and, of a ring, inner edge of the turned shape, float64 (n, 2), in pixels of the master."""
    shape, _ = canonical_shape(roi.shape)
    return [transformed(polygon, to_master(roi)) for polygon in _polygons(shape)]


def to_master(roi: Roi) -> np.ndarray:
    """Float64 (2, 3): pixels of the ROI picture to the master's."""
    shape, _ = canonical_shape(roi.shape)
    turn = rotation(roi.angle_deg)
    return np.column_stack([turn, _centre(roi.shape) - turn @ _centre(shape)])


def rotation(angle_deg: float) -> np.ndarray:
    """Float64 (2, 2): clockwise on screen, where y points down."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[cosine, -sine], [sine, cosine]])


def transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (n, 2) through an affine (2, 3)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def sticks_out_px(polygon: np.ndarray, width: int, height: int) -> float:
    """By how many pixels a polygon (n, 2) leaves a picture; 0 or less: it lies inside."""
    low, high = polygon.min(0), polygon.max(0)
    return float(max(-0.5 - low.min(), (high - [width - 0.5, height - 0.5]).max()))


def _roi_picture(roi: Roi, frame_rgb: np.ndarray, matrix: np.ndarray | None) -> RoiPicture:
    height, width = frame_rgb.shape[:2]
    shape, size_hw = canonical_shape(roi.shape)
    to_frame = to_master(roi) if matrix is None else _composed(matrix, to_master(roi))
    edges = [transformed(polygon, to_frame) for polygon in _polygons(shape)]
    if (outside := sticks_out_px(edges[0], width, height)) > MAX_OUTSIDE_PX:
        raise RoiOutsideFrame(
            f"ROI {roi.roi_id!r} lies {outside:.0f} px outside of the {width}x{height} picture: place the part so that "
            "the camera sees all of it, or move the ROI in the layout."
        )
    points = [[(float(x), float(y)) for x, y in edge] for edge in edges]
    return RoiPicture(
        roi_id=roi.roi_id,
        image_rgb=cut_out(frame_rgb, to_frame, size_hw),
        shape=shape,
        to_frame=to_frame,
        outline=points[0],
        inner_outline=points[1] if len(points) > 1 else None,
    )


def _polygons(shape: Shape) -> list[np.ndarray]:
    """Outer and inner edge; those of a rectangle run around its pixels, whose centres are half a pixel inside."""
    if isinstance(shape, Rect):
        left, top, right, bottom = shape.x - 0.5, shape.y - 0.5, shape.x + shape.w - 0.5, shape.y + shape.h - 0.5
        return [np.array([(left, top), (right, top), (right, bottom), (left, bottom)])]
    inner = [_circle(shape, shape.r_inner)] if isinstance(shape, Annulus) and shape.r_inner > 0 else []
    return [_circle(shape, shape.r), *inner]


def _circle(shape: Circle | Annulus, radius: float) -> np.ndarray:
    around = np.linspace(0, 2 * np.pi, CIRCLE_POINTS, endpoint=False)
    return np.column_stack([shape.cx + radius * np.cos(around), shape.cy + radius * np.sin(around)])


def _centre(shape: Shape) -> np.ndarray:
    if isinstance(shape, Rect):
        return np.array([shape.x + (shape.w - 1) / 2, shape.y + (shape.h - 1) / 2])
    return np.array([shape.cx, shape.cy])


def _composed(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """One affine (2, 3) that does `inner`, then `outer`."""
    return np.column_stack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2] + outer[:, 2]])


def _whole(length: float) -> int:
    """Rounded up to whole pixels; 450.0000001 is 450."""
    return max(1, int(np.ceil(length - 1e-6)))
