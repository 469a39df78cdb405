"""From distances to score, regions and heat map: one rule, whatever the map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from service.contract.shapes import Annulus, Circle, Rect, Shape
from service.errors import EngineFailed
from service.vision import anomaly_map
from service.vision.anomaly_map import MapPlace
from service.vision.network_view import MAP_PX_PER_PATCH, network_view
from service.vision.verdict import judge, measure

sides = st.tuples(st.integers(1, 14), st.integers(1, 14))
few_levels = arrays(np.float32, sides, elements=st.sampled_from([0, 0.5, 1, 1.5, 2, 3]).map(np.float32))
any_levels = arrays(np.float32, sides, elements=st.floats(0, 100, width=32))
maps = few_levels | any_levels
FRAME = MapPlace(left=0, top=0, scale_x=1, scale_y=1, roi_width=14, roi_height=14)


def largest_area(values: np.ndarray, level: float) -> int:
    labels, _ = ndimage.label(values.astype(np.float64) >= level, np.ones((3, 3)))
    return int(np.bincount(labels.ravel())[1:].max(initial=0))


@settings(max_examples=400, deadline=None)
@given(maps, st.data())
def test_the_score_is_the_highest_level_that_an_area_reaches(values: np.ndarray, data: st.DataObject) -> None:
    area_px = data.draw(st.integers(1, values.size))
    found = anomaly_map.score(values, area_px)
    levels = [float(level) for level in np.unique(values) if largest_area(values, float(level)) >= area_px]
    assert found == max(levels)


@settings(max_examples=400, deadline=None)
@given(maps, st.data(), st.floats(1e-3, 120))
def test_the_score_reaches_the_threshold_exactly_when_there_is_a_region(
    values: np.ndarray, data: st.DataObject, threshold: float
) -> None:
    area_px = data.draw(st.integers(1, values.size))
    threshold = data.draw(st.sampled_from([threshold, *(float(value) for value in np.unique(values) if value > 0)]))
    threshold = data.draw(st.sampled_from([threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, 0)]))
    regions = anomaly_map.regions(values, threshold, area_px, FRAME, mm_per_px=0.5)
    assert (anomaly_map.score(values, area_px) >= threshold) == bool(regions)
    for region in regions:
        assert region.area_px >= area_px
        assert region.area_mm2 == region.area_px * 0.25
        assert region.score >= threshold
    assert [region.area_px for region in regions] == sorted((region.area_px for region in regions), reverse=True)


@settings(max_examples=200, deadline=None)
@given(maps, st.floats(0.01, 50), st.floats(0, 60))
def test_the_heat_map_shows_128_from_the_threshold_on_and_less_below(
    values: np.ndarray, threshold: float, calm: float
) -> None:
    frame = MapPlace(0, 0, 1, 1, values.shape[1], values.shape[0])
    grey = anomaly_map.heatmap(values, threshold, frame, calm=calm)
    assert (grey.dtype, grey.shape) == (np.uint8, values.shape)
    assert ((grey >= 128) == (values.astype(np.float64) >= threshold)).all()
    at = np.full_like(values, np.float32(threshold))
    assert set(np.unique(anomaly_map.heatmap(at, float(at[0, 0]), frame))) == {128}
    assert set(np.unique(anomaly_map.heatmap(at, float(at[0, 0]) / 2, frame))) == {255}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_distance_that_is_no_number_is_an_error_never_a_calm_map(value: float) -> None:
    for shape in (None, Circle(kind="circle", cx=128, cy=128, r=100)):
        view = network_view(shape, 256, 256, 256, 8)
        distances = np.ones(view.grid, np.float32)
        distances[view.grid[0] // 2, view.grid[1] // 2] = value
        with pytest.raises(EngineFailed, match="not a number"):
            measure(distances, view, mm_per_px=0.5)


def test_what_the_engine_says_outside_of_the_shape_does_not_matter() -> None:
    view = network_view(Annulus(kind="annulus", cx=128, cy=128, r=100, r_inner=60), 256, 256, 256, 8)
    calm = np.ones(view.grid, np.float32)
    for outside in (0.0, 1e6, np.nan):
        measured = measure(np.where(view.patches, calm, np.float32(outside)), view, mm_per_px=0.5)
        assert measured.score == pytest.approx(1, abs=1e-4)
        assert (measured.map[~view.mask] == 0).all()


def hot(view_of: tuple[Shape | None, int, int], x: float, y: float, w: float, h: float) -> tuple[object, np.ndarray]:
    """A view, and distances of 1 with 10 for every patch that the box in the ROI picture touches."""
    view = network_view(*view_of, 256, 8)
    left, top, width, height = view.crop
    rows, columns = view.grid
    column = np.arange(columns) * width / columns + left
    row = np.arange(rows) * height / rows + top
    over_x = (column < x + w) & (column + width / columns > x)
    over_y = (row < y + h) & (row + height / rows > y)
    return view, np.where(over_y[:, None] & over_x, 10, 1).astype(np.float32)


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1024, 2048])
def test_one_square_millimetre_decides_whatever_the_size_of_the_roi(side: int) -> None:
    mm_per_px = 0.25  # 1 mm² is 4 x 4 pixels
    view, distances = hot((None, side, side), side * 0.3, side * 0.6, 4, 4)
    measured = measure(distances, view, mm_per_px, area_mm2=1.0)  # type: ignore[arg-type]
    calm = measure(np.ones_like(distances), view, mm_per_px, area_mm2=1.0)  # type: ignore[arg-type]
    assert judge(calm, view, mm_per_px, threshold=2.0).verdict == "OK"  # type: ignore[arg-type]
    assert judge(measured, view, mm_per_px, threshold=2.0).verdict == "NG"  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(st.floats(0.3, 1.7), st.floats(0, 2 * np.pi), st.integers(220, 700))
def test_a_region_lies_where_the_defect_is_in_the_roi_picture(radius: float, angle: float, width: int) -> None:
    """An annulus off the middle: what is cropped and scaled on the way in is put back on the way out."""
    ring = Annulus(kind="annulus", cx=width * 0.45, cy=150, r=90, r_inner=30)
    x, y = ring.cx + 60 * radius**0.5 * np.cos(angle), ring.cy + 60 * radius**0.5 * np.sin(angle)
    view, distances = hot((ring, 300, width), x - 3, y - 3, 6, 6)
    measured = measure(distances, view, mm_per_px=0.5)  # type: ignore[arg-type]
    assume(measured.score > 3)  # the box may touch too little of the ring
    region = judge(measured, view, 0.5, 0.8 * measured.score).regions[0]  # type: ignore[arg-type]
    left, top, w, h = region.bbox
    assert 0 <= left < left + w <= width
    assert 0 <= top < top + h <= 300
    assert abs(left + w / 2 - x) < 14
    assert abs(top + h / 2 - y) < 14
    for px, py in region.contour:
        assert left - 1 <= px <= left + w
        assert top - 1 <= py <= top + h


def test_the_map_has_four_pixels_per_patch_and_a_rectangle_keeps_its_proportions() -> None:
    view = network_view(Rect(kind="rect", x=10, y=20, w=400, h=200), 300, 500, 256, 8)
    assert view.crop == (10, 20, 400, 200)
    assert view.mask.shape == tuple(MAP_PX_PER_PATCH * side for side in view.grid)
    assert view.input_hw[1] / view.input_hw[0] == pytest.approx(2, rel=0.2)
    assert view.picture(np.zeros((300, 500, 3), np.uint8)).shape == (*view.input_hw, 3)
    assert view.inspected_px == view.mask.size


def test_an_area_is_at_least_a_pixel_and_never_more_than_the_roi_could_reach() -> None:
    assert FRAME.area_px(0.0, 0.5, 196) == 1
    assert FRAME.area_px(1.0, 0.5, 196) == 4
    assert FRAME.area_px(1e9, 1e-5, 196) == 19
    assert FRAME.area_px(1.0, 0.5, 5) == 1
