"""ROI pictures: the same cut of the part, wherever it lies in the frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from service.contract.layouts import Roi
from service.contract.shapes import Shape, parse_shape
from service.errors import RoiOutsideFrame
from service.vision.masks import pixel_mask
from service.vision.roi_picture import outlines, roi_pictures, transformed
from tests.kit.scene import motion, plate

RECT = '{"kind":"rect","x":280,"y":90,"w":101,"h":60}'
RING = '{"kind":"annulus","cx":139.5,"cy":169.5,"r":45,"r_inner":10}'
CIRCLE = '{"kind":"circle","cx":500.25,"cy":309.75,"r":40.3}'


def roi(shape: str, angle_deg: float = 0) -> Roi:
    parsed = parse_shape(shape)
    assert parsed is not None
    return Roi(roi_id="here", shape=parsed, angle_deg=angle_deg)


def taken(shape: Shape, picture: np.ndarray) -> np.ndarray:
    return picture[pixel_mask(shape, *picture.shape[:2])]


@pytest.mark.parametrize(("shape", "x", "y", "w", "h"), [(RECT, 280, 90, 101, 60), (RING, 95, 125, 90, 90)])
def test_a_roi_on_whole_pixels_is_cut_without_changing_any(shape: str, x: int, y: int, w: int, h: int) -> None:
    frame = plate(noise=5)
    [picture] = roi_pictures([roi(shape)], frame, None)
    assert (picture.image_rgb == frame[y : y + h, x : x + w]).all()
    assert picture.to_frame.tolist() == [[1, 0, x], [0, 1, y]]
    original = parse_shape(shape)
    assert original is not None
    assert (taken(picture.shape, picture.image_rgb) == taken(original, frame)).all()


@pytest.mark.parametrize("shape", [RECT, RING, CIRCLE])
@pytest.mark.parametrize("angle", [0.0, 33.3, -90.0, 180.0])
def test_a_moved_part_gives_the_picture_of_the_unmoved_one(shape: str, angle: float) -> None:
    matrix = motion(8.3, -5.6, 7.2)
    [still] = roi_pictures([roi(shape, angle)], plate(), None)
    [moved] = roi_pictures([roi(shape, angle)], plate(8.3, -5.6, 7.2), matrix)
    assert moved.shape == still.shape
    assert moved.image_rgb.shape == still.image_rgb.shape
    apart = taken(still.shape, cv2.absdiff(moved.image_rgb, still.image_rgb))
    assert apart.mean() < 1
    assert apart.max() < 40  # an edge of 100 grey levels, interpolated twice at other places


def test_a_roi_turned_upside_down_shows_the_same_pixels_the_other_way_round() -> None:
    frame = plate(noise=5)
    [upright] = roi_pictures([roi(RECT)], frame, None)
    [turned] = roi_pictures([roi(RECT, 180)], frame, None)
    assert (turned.image_rgb == upright.image_rgb[::-1, ::-1]).all()


def test_angles_are_clockwise_on_screen() -> None:
    """What lies above the middle of the frame lies at the left of an ROI turned clockwise by 90°."""
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[40:50, 95:105] = 255
    square = '{"kind":"rect","x":50,"y":20,"w":100,"h":100}'
    [picture] = roi_pictures([roi(square, 90)], frame, None)
    rows, columns = np.nonzero(picture.image_rgb[:, :, 0])
    assert columns.mean() < 30
    assert abs(rows.mean() - 49.5) < 1


@pytest.mark.parametrize("shape", [RECT, RING, CIRCLE])
def test_outlines_lie_where_the_pixels_were_taken(shape: str) -> None:
    matrix = motion(8.3, -5.6, 7.2)
    frame = plate(8.3, -5.6, 7.2)
    [picture] = roi_pictures([roi(shape, 20)], frame, matrix)
    height, width = picture.image_rgb.shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    there = transformed(corners, picture.to_frame)
    low, high = np.min(picture.outline, axis=0), np.max(picture.outline, axis=0)
    assert (low > there.min(0) - 1.5).all()
    assert (high < there.max(0) + 1.5).all()
    assert np.allclose(transformed(outlines(roi(shape, 20))[0], matrix), picture.outline)
    assert (picture.inner_outline is not None) == (picture.shape.kind == "annulus")
    centre = np.mean(picture.outline, axis=0)
    middle = transformed(np.array([[(width - 1) / 2, (height - 1) / 2]]), picture.to_frame)
    assert np.allclose(centre, middle, atol=0.5)


def test_lengths_are_rounded_up_to_whole_pixels() -> None:
    [picture] = roi_pictures([roi('{"kind":"rect","x":10.5,"y":20.25,"w":30.2,"h":40}')], plate(), None)
    assert picture.image_rgb.shape == (40, 31, 3)
    assert picture.shape.model_dump() == {"kind": "rect", "x": 0, "y": 0, "w": 30.2, "h": 40}
    [picture] = roi_pictures([roi(CIRCLE)], plate(), None)
    assert picture.image_rgb.shape == (81, 81, 3)
    assert picture.shape.model_dump() == {"kind": "circle", "cx": 40, "cy": 40, "r": 40.3}


EDGE = roi('{"kind":"circle","cx":500,"cy":300,"r":45}')  # 94.5 px from the right edge of the frame


def test_a_roi_may_touch_the_edge_of_the_frame() -> None:
    [picture] = roi_pictures([EDGE], plate(95), motion(95, 0, 0))
    assert picture.image_rgb.shape == (90, 90, 3)


def test_a_roi_that_leaves_the_frame_is_named() -> None:
    with pytest.raises(RoiOutsideFrame, match="'here' lies 2 px outside of the 640x480 picture"):
        roi_pictures([EDGE], plate(96.2), motion(96.2, 0, 0))
