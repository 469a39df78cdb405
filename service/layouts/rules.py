"""Refuses impossible layouts when they are drawn, not at the first part of the line. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from service.contract.layouts import Box, Mark, Roi
from service.contract.rules import MIN_MARK_PX, MIN_SIDE_PX, ROUNDING_PX, contains
from service.contract.shapes import Annulus
from service.errors import InvalidLayout, NotAligned
from service.vision.find_mark import Template
from service.vision.find_part import find_part, prepare_marks
from service.vision.roi_picture import canonical_shape, outlines, sticks_out_px

# Two marks 50 px apart tell the turn to about 0.1°; further apart is better.
MIN_APART_PX = 50.0
MIN_MARK_CONTRAST = 3.0  # grey levels, standard deviation; a camera's noise is 1 to 3
# A shift that the mark hardly shows: along a straight edge a mark may lie anywhere.
MAX_SLACK_OF_SIDE, MAX_SLACK_PX = 0.25, 20.0
LARGEST_SIDE_PX = 32_000  # OpenCV's warp counts pixels in 16 bits


def refuse_impossible(
    marks: Sequence[Mark], rois: Sequence[Roi], mm_per_px: float | None, master_rgb: np.ndarray | None
) -> None:
    """Raises InvalidLayout, naming the ROI or mark. The master is uint8 (h, w, 3)."""
    if rois and mm_per_px is None:
        raise InvalidLayout("mm_per_px is missing: ROIs are judged in mm².")
    if master_rgb is None:
        if marks or rois:
            raise InvalidLayout("Without a master picture a layout has no ROIs and no marks: send the picture first.")
        return
    height, width = master_rgb.shape[:2]
    if max(height, width) > LARGEST_SIDE_PX:
        raise InvalidLayout(f"The master has {width}x{height} pixels: no side may have more than {LARGEST_SIDE_PX:,}.")
    _refuse_twins(rois)
    for roi in rois:
        _refuse_roi(roi, width, height)
    for number, mark in enumerate(marks, 1):
        _refuse_mark(number, mark, width, height)
    if marks:
        _refuse_unfit(marks, master_rgb)


def _refuse_twins(rois: Sequence[Roi]) -> None:
    name, count = next(iter(Counter(roi.roi_id for roi in rois).most_common(1)), ("", 0))
    if count > 1:
        raise InvalidLayout(f"ROI {name!r} is there {count} times: give every ROI its own name.")


def _refuse_roi(roi: Roi, width: int, height: int) -> None:
    shape = roi.shape
    if isinstance(shape, Annulus) and shape.r_inner >= shape.r:
        raise InvalidLayout(f"ROI {roi.roi_id!r}: r_inner {shape.r_inner:g} must be smaller than r {shape.r:g}.")
    if min(canonical_shape(shape)[1]) < MIN_SIDE_PX:
        raise InvalidLayout(f"ROI {roi.roi_id!r} is too small: it needs at least {MIN_SIDE_PX}x{MIN_SIDE_PX} pixels.")
    outside = sticks_out_px(outlines(roi)[0], width, height)
    if outside > ROUNDING_PX:
        raise InvalidLayout(f"ROI {roi.roi_id!r} lies {outside:.1f} px outside of the {width}x{height} master.")


def _refuse_mark(number: int, mark: Mark, width: int, height: int) -> None:
    if min(mark.w, mark.h) < MIN_MARK_PX:
        raise InvalidLayout(f"Mark {number} is too small: it needs at least {MIN_MARK_PX}x{MIN_MARK_PX} pixels.")
    if not contains(Box(x=0, y=0, w=width, h=height), mark.search):
        raise InvalidLayout(f"The search area of mark {number} lies outside of the {width}x{height} master.")
    if not contains(mark.search, mark):
        raise InvalidLayout(f"The search area of mark {number} does not contain the mark.")


def _refuse_unfit(marks: Sequence[Mark], master_rgb: np.ndarray) -> None:
    """The marks of the master are looked for in the master itself, which has to be easy."""
    templates = prepare_marks(master_rgb, marks)
    for number, template in enumerate(templates, 1):
        _refuse_vague(number, template)
    apart = float(np.linalg.norm(templates[-1].centre - templates[0].centre))
    if len(templates) == 2 and apart < MIN_APART_PX:
        raise InvalidLayout(
            f"The marks are {apart:.0f} px apart, {MIN_APART_PX:.0f} px are needed: choose two that lie far "
            "apart, which tells the turn best."
        )
    try:
        find_part(templates, master_rgb)
    except NotAligned as problem:
        raise InvalidLayout(f"The marks are not found in the master itself. {problem.detail}") from None


def _refuse_vague(number: int, template: Template) -> None:
    if template.contrast < MIN_MARK_CONTRAST:
        raise InvalidLayout(f"Mark {number} shows next to nothing: choose a place with more contrast.")
    if template.slack_px > min(MAX_SLACK_OF_SIDE * min(template.size), MAX_SLACK_PX):
        raise InvalidLayout(
            f"Mark {number} looks nearly the same when it is shifted by {template.slack_px:.0f} px in one direction: "
            "choose a corner or a hole, not an edge."
        )
