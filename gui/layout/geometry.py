"""Places and sizes of ROIs, marks and search areas, and what is impossible. Pure; pixels as in a layout.

(0, 0) is the centre of the first pixel: a picture of `width` reaches from -0.5 to width - 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from service.contract.layouts import Box, Mark, Roi
from service.contract.rules import MIN_MARK_PX, MIN_SIDE_PX, ROUNDING_PX, contains
from service.contract.shapes import Annulus, Circle, Rect, Shape

SEARCH_OF_MARK = 0.75  # a new mark is searched for around its place, as far as that share of its longer side
# The numbers of each kind of shape, in the order of the screen.
NUMBERS = {"rect": ("x", "y", "w", "h"), "circle": ("cx", "cy", "r"), "annulus": ("cx", "cy", "r", "r_inner")}

Size = tuple[int, int]


class Refused(Exception):
    """A change that would make an impossible layout. `code` names a text of the screen, `values` fill it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def centre(shape: Shape) -> tuple[float, float]:
    if isinstance(shape, Rect):
        return shape.x + (shape.w - 1) / 2, shape.y + (shape.h - 1) / 2
    return shape.cx, shape.cy


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    if isinstance(shape, Rect):
        return shape.model_copy(update={"x": round(shape.x + dx, 3), "y": round(shape.y + dy, 3)})
    return shape.model_copy(update={"cx": round(shape.cx + dx, 3), "cy": round(shape.cy + dy, 3)})


def shape_of(kind: str, values: Mapping[str, Any]) -> Shape:
    """From numbers of the drawing or of the fields. Raises Refused for a shape without size."""
    numbers = {name: float(values[name]) for name in NUMBERS[kind]}
    if not all(map(math.isfinite, numbers.values())):
        raise Refused("too_small", px=f"{MIN_SIDE_PX:g}")
    if kind == "rect":
        _refuse_small(min(numbers["w"], numbers["h"]), MIN_SIDE_PX)
        return Rect(kind="rect", **numbers)
    _refuse_small(2 * numbers["r"], MIN_SIDE_PX)
    if kind == "circle":
        return Circle(kind="circle", **numbers)
    if not 0 <= numbers["r_inner"] < numbers["r"]:
        raise Refused("inner_too_large")
    return Annulus(kind="annulus", **numbers)


def refuse_outside(roi: Roi, size: Size) -> None:
    """Raises Refused when the turned shape leaves a picture of that size."""
    (x, y), (w, h) = centre(roi.shape), half_reach(roi)
    width, height = size
    over = max(-0.5 - (x - w), -0.5 - (y - h), x + w - (width - 0.5), y + h - (height - 0.5))
    if over > ROUNDING_PX:
        raise Refused("outside", name=roi.roi_id, px=math.ceil(over))


def half_reach(roi: Roi) -> tuple[float, float]:
    """Half the width and height of the upright box around the turned shape."""
    if not isinstance(roi.shape, Rect):
        return roi.shape.r, roi.shape.r
    turn = math.radians(roi.angle_deg)
    cosine, sine = abs(math.cos(turn)), abs(math.sin(turn))
    w, h = roi.shape.w / 2, roi.shape.h / 2
    return cosine * w + sine * h, sine * w + cosine * h


def new_mark(box: Box, size: Size) -> Mark:
    """A mark with its search area around it. Raises Refused."""
    refuse_mark_box(box, size)
    margin = SEARCH_OF_MARK * max(box.w, box.h)
    left, top = max(0.0, box.x - margin), max(0.0, box.y - margin)
    right, bottom = min(float(size[0]), box.x + box.w + margin), min(float(size[1]), box.y + box.h + margin)
    return Mark(**box.model_dump(), search=Box(x=left, y=top, w=right - left, h=bottom - top))


def mark_moved(mark: Mark, box: Box, size: Size) -> Mark:
    """The mark in another place. Its search area goes along, and grows where it would no longer contain the mark."""
    refuse_mark_box(box, size)
    search = mark.search
    left = min(max(0.0, search.x + box.x - mark.x), box.x)
    top = min(max(0.0, search.y + box.y - mark.y), box.y)
    right = max(min(float(size[0]), left + search.w), box.x + box.w)
    bottom = max(min(float(size[1]), top + search.h), box.y + box.h)
    return Mark(**box.model_dump(), search=Box(x=left, y=top, w=right - left, h=bottom - top))


def search_changed(mark: Mark, search: Box, size: Size) -> Mark:
    """Raises Refused when the search area does not contain its mark, or leaves the picture."""
    refuse_mark_box(search, size)
    if not contains(search, mark):
        raise Refused("search_misses_mark")
    return mark.model_copy(update={"search": search})


def box_of(values: Mapping[str, Any]) -> Box:
    """Raises Refused for a box without size."""
    numbers = {name: round(float(values[name]), 3) for name in NUMBERS["rect"]}
    _refuse_small(min(numbers["w"], numbers["h"]), MIN_MARK_PX)
    return Box(**numbers)


def refuse_mark_box(box: Box, size: Size) -> None:
    if not contains(Box(x=0, y=0, w=size[0], h=size[1]), box):
        raise Refused("mark_outside")


def _refuse_small(side: float, least: float) -> None:
    if not side >= least:  # so, and not `side < least`, NaN is refused too
        raise Refused("too_small", px=f"{least:g}")
