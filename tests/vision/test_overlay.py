"""The picture people see: calm for a good part, plain about a bad one."""

import numpy as np
import pytest

from service.demo.discs import draw_disc, ring_shape
from service.vision.overlay import BAR_COLOURS, REGION_COLOUR, bar_height, draw_overlay

GREY = np.full((200, 300, 3), 120, np.uint8)
REGION = {"contour": [[100, 80], [140, 80], [140, 110], [100, 110]], "bbox": [100, 80, 41, 31], "area_mm2": 12.5}


def below_the_bar(overlay: np.ndarray) -> np.ndarray:
    return overlay[bar_height(overlay.shape[1]) :]


def shows(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(h, w) bool: pixels within 40 grey levels of `colour`, which anti-aliasing leaves."""
    return np.abs(picture.astype(int) - colour).max(axis=2) < 40


def test_a_good_part_stays_as_it_was_below_the_bar():
    image = draw_disc(1).image_rgb
    calm = np.full(image.shape[:2], 60, np.uint8)  # just under half the threshold
    overlay = draw_overlay(image, calm, [], verdict="OK", score=0.4, threshold=1.0)
    assert overlay.shape == (512 + bar_height(512), 512, 3)
    assert np.array_equal(below_the_bar(overlay), image)


def test_heat_over_the_threshold_turns_the_picture_red():
    heat = np.zeros(GREY.shape[:2], np.uint8)
    heat[50:70, 50:70] = 255
    picture = below_the_bar(draw_overlay(GREY, heat, [], verdict="NG", score=2.0, threshold=1.0))
    red, green, blue = picture[60, 60]
    assert red > 180
    assert max(green, blue) < 80
    assert np.array_equal(picture[100:], GREY[100:])


def test_a_region_is_outlined_where_it_is_and_carries_its_area():
    picture = below_the_bar(draw_overlay(GREY, None, [REGION], verdict="NG", score=2.0, threshold=1.0))
    found = shows(picture, REGION_COLOUR)
    assert found[80, 101:140].all()
    assert found[81:110, 100].all()
    assert not found[85:105, 105:135].any()  # the defect itself stays visible
    assert found[60:78, 100:170].any()  # the label above it
    assert not found[120:].any()


@pytest.mark.parametrize("verdict", ["OK", "NG", None])
def test_the_bar_has_the_colour_of_the_verdict(verdict: str | None):
    threshold = None if verdict is None else 1.0
    overlay = draw_overlay(GREY, None, [], verdict=verdict, score=0.9, threshold=threshold, title="Station 4")
    bar = overlay[: bar_height(300)]
    assert (bar[0] == BAR_COLOURS[verdict]).all()
    assert (bar > 220).all(axis=2).any()  # white text on it
    assert np.array_equal(below_the_bar(overlay), GREY)


def test_the_roi_is_outlined_in_each_of_the_contract_s_shapes():
    for shape, on_outline in (
        ({"kind": "rect", "x": 20, "y": 30, "w": 100, "h": 60}, (30, 70)),
        ({"kind": "circle", "cx": 150, "cy": 100, "r": 50}, (100, 200)),
        ({"kind": "annulus", "cx": 150, "cy": 100, "r": 80, "r_inner": 40}, (100, 190)),
    ):
        picture = below_the_bar(draw_overlay(GREY, None, [], verdict="OK", score=0, threshold=1, shape=shape))
        assert (picture[on_outline] != GREY[on_outline]).any(), shape["kind"]
        assert (picture != GREY).any(axis=2).mean() < 0.05, shape["kind"]


@pytest.mark.parametrize("size", [16, 64, 200, 1500])
def test_pictures_of_any_size_are_drawn(size: int):
    image = np.full((size, size, 3), 90, np.uint8)
    corner = {"contour": [[0, 0], [3, 0], [3, 3]], "bbox": [0, 0, 4, 4], "area_mm2": 1.0, "score": 1.5}
    whole = {"contour": [[0, 0], [size - 1, size - 1]], "bbox": [0, 0, size, size], "area_mm2": 12345.6, "score": 2.0}
    heat = np.full((size, size), 200, np.uint8)
    overlay = draw_overlay(
        image, heat, [whole, corner], verdict="NG", score=12.34, threshold=1.0, title="x" * 80, shape=ring_shape(size)
    )
    assert overlay.shape == (size + bar_height(size), size, 3)
    assert overlay.dtype == np.uint8
    assert (image == 90).all()  # the caller's picture is left alone


def test_a_title_beyond_ascii_is_written_with_the_nearest_letters():
    def titled(title: str) -> np.ndarray:
        return draw_overlay(GREY, None, [], verdict="OK", score=1, threshold=2, title=title)

    assert np.array_equal(titled("Größe Nº é \u2013 検査"), titled("Grosse No e -"))
    assert np.array_equal(titled("検査"), titled(""))
