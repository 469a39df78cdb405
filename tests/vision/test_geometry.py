"""Shapes: which pixels and which patches are inspected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.contract.shapes import Annulus, Circle, Rect, Shape, parse_shape
from service.errors import InvalidShape
from service.vision.masks import bounding_box, patch_mask, pixel_mask

lengths = st.floats(0.01, 300)
places = st.floats(-200, 400)
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Rect, kind=st.just("rect"), x=places, y=places, w=lengths, h=lengths),
    st.builds(Circle, kind=st.just("circle"), cx=places, cy=places, r=lengths),
    st.builds(
        lambda cx, cy, r, thickness: Annulus(kind="annulus", cx=cx, cy=cy, r=r, r_inner=r * thickness),
        places, places, lengths, st.floats(0, 0.999),
    ),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(shapes, st.integers(8, 200), st.integers(8, 200), st.integers(1, 40), st.integers(1, 40))
def test_a_shape_has_pixels_and_patches_or_is_refused(
    shape: Shape, height: int, width: int, rows: int, columns: int
) -> None:
    assert parse_shape(shape.model_dump_json()) == shape
    try:
        mask = pixel_mask(shape, height, width)
    except InvalidShape as problem:
        said = problem.detail
    else:
        x, y, w, h = bounding_box(mask)
        assert mask.sum() == mask[y : y + h, x : x + w].sum() > 0
        assert patch_mask(mask[y : y + h, x : x + w], (rows, columns)).any()
        said = ""
    assert said == "" or f"{width}x{height}" in said


def test_shapes_are_in_pixels_of_the_picture() -> None:
    rect = pixel_mask(Rect(kind="rect", x=2, y=1, w=3, h=2), 5, 8)
    assert bounding_box(rect) == (2, 1, 3, 2)
    assert rect.sum() == 6
    ring = pixel_mask(Annulus(kind="annulus", cx=50, cy=50, r=40, r_inner=20), 101, 101)
    assert ring[50, 10]
    assert ring[50, 30]
    assert not ring[50, 50]
    assert not ring[50, 9]
    assert ring.sum() == pytest.approx(np.pi * (40**2 - 20**2), rel=0.02)
    assert bounding_box(ring) == (10, 10, 81, 81)
    assert pixel_mask(None, 4, 6).all()


def test_a_shape_that_reaches_over_the_edge_is_cut_there() -> None:
    assert bounding_box(pixel_mask(Circle(kind="circle", cx=0, cy=0, r=10), 100, 100)) == (0, 0, 11, 11)
    assert pixel_mask(Rect(kind="rect", x=-50, y=-50, w=1000, h=1000), 10, 10).all()


def test_a_patch_counts_when_half_of_it_is_inside() -> None:
    mask = np.zeros((80, 80), bool)
    mask[:, :44] = True  # the sixth column of 8-pixel patches is half inside
    assert patch_mask(mask, (10, 10)).sum(1).tolist() == [6] * 10
    mask[:, 43] = False
    assert patch_mask(mask, (10, 10)).sum(1).tolist() == [5] * 10
    thin = np.zeros((80, 80), bool)
    thin[40, :] = True
    assert patch_mask(thin, (10, 10)).sum() == 10


@pytest.mark.parametrize("text", [None, "", "  ", "null"])
def test_no_shape_is_the_whole_picture(text: str | None) -> None:
    assert parse_shape(text) is None


@pytest.mark.parametrize("text", ["{", "\ud800", "[]", '{"kind":"circle"}', '"circle"', "\x00", "{}" * 1000])
def test_what_is_no_shape_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidShape, match='"kind":"annulus"'):
        parse_shape(text)
