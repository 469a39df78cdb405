"""Finds how a part lies in a frame: one reference mark tells the shift, two tell shift and turn. No scale.

In doubt it is not aligned: a mark that is not found, lies at the border of its search area or is found twice, or two
marks that are not as far apart as in the master.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from service.contract.layouts import Alignment, Mark
from service.errors import NotAligned
from service.vision.find_mark import MAX_TURN_DEG, Found, Template, find_mark, prepare, refine
from service.vision.roi_picture import rotation

# A good part's marks reach 0.85 to 1 with noise, blur and half the light; what is not the mark stays below 0.5.
MIN_SCORE = 0.6
# A second place that looks as much like the mark as this: which of the two it is, nobody knows.
AMBIGUOUS = 0.05
# Marks closer together or further apart than in the master by more than both of these are not the same marks.
MAX_STRETCH, MAX_STRETCH_PX = 0.01, 2.0
TURN_TOLERANCE_DEG = 0.5
BORDER_PX = 1.0


def prepare_marks(master_rgb: np.ndarray, marks: Sequence[Mark]) -> tuple[Template, ...]:
    """What the marks are looked for with, from the master uint8 (h, w, 3)."""
    return tuple(prepare(master_rgb, mark, turns=len(marks) == 2) for mark in marks)


def find_part(templates: Sequence[Template], frame_rgb: np.ndarray) -> Alignment:
    """From one or two marks in a frame uint8 (h, w, 3). Raises NotAligned."""
    turns = len(templates) == 2
    candidates = [find_mark(template, frame_rgb, turns=turns) for template in templates]
    for number, (template, found) in enumerate(zip(templates, candidates, strict=True), 1):
        _refuse_missing(number, template, found[0])
    return _from_two(templates, candidates, frame_rgb) if turns else _from_one(templates[0], candidates[0])


def _from_one(template: Template, candidates: list[Found]) -> Alignment:
    best, *others = candidates
    if others and best.score - others[0].score < AMBIGUOUS:
        raise _twice(1, best.score, others[0].score)
    return _alignment([template], [best], 0.0)


def _from_two(templates: Sequence[Template], candidates: list[list[Found]], frame_rgb: np.ndarray) -> Alignment:
    pairs = [pair for pair in product(*candidates) if min(found.score for found in pair) >= MIN_SCORE]
    fitting = sorted((pair for pair in pairs if _fits(templates, pair)), key=_total, reverse=True)
    if not fitting:
        raise _apart(templates, pairs[0])
    best, *others = fitting
    if others and _total(best) - _total(others[0]) < AMBIGUOUS:
        number = 1 if best[0] is not others[0][0] else 2
        raise _twice(number, best[number - 1].score, others[0][number - 1].score)
    angle = _turn(templates, best)
    if abs(angle) > MAX_TURN_DEG + TURN_TOLERANCE_DEG:
        raise NotAligned(
            f"The part is turned by {angle:.1f}°, more than {MAX_TURN_DEG:.0f}°: place it as in the master."
        )
    # once more, turned as both marks together say: a round mark alone does not know how it is turned
    found = [refine(t, frame_rgb, one.place, angle, turns=False) for t, one in zip(templates, best, strict=True)]
    for number, (template, one) in enumerate(zip(templates, found, strict=True), 1):
        _refuse_missing(number, template, one)
    return _alignment(templates, found, _turn(templates, found))


def _alignment(templates: Sequence[Template], found: Sequence[Found], angle_deg: float) -> Alignment:
    """The transform that takes the centre of the marks to the centre of the places found."""
    before = np.mean([template.centre for template in templates], axis=0)
    after = np.mean([one.place for one in found], axis=0)
    turn = rotation(angle_deg)
    (a, b), (c, d) = turn.tolist()
    shift_x, shift_y = (after - turn @ before).tolist()
    dx_px, dy_px = (after - before).tolist()
    return Alignment(
        dx_px=dx_px, dy_px=dy_px, angle_deg=angle_deg, scores=[one.score for one in found],
        matrix=((a, b, shift_x), (c, d, shift_y)),
    )  # fmt: skip


def _refuse_missing(number: int, template: Template, found: Found) -> None:
    """Raises NotAligned for a mark that was not found, or at the border of its search area."""
    if found.score < MIN_SCORE:
        raise NotAligned(
            f"Mark {number} was not found: the best place scores {found.score:.2f}, {MIN_SCORE:g} is needed. Place the "
            "part as in the master, clean part and lens, and see that the light is on."
        )
    half = (np.array(template.size) - 1) / 2 + BORDER_PX
    low, high = found.place - half, found.place + half
    left, top, right, bottom = template.search
    if low[0] < left or low[1] < top or high[0] > right - 1 or high[1] > bottom - 1:
        raise NotAligned(
            f"Mark {number} lies at the border of its search area (score {found.score:.2f}): place the part as in the "
            "master, or make the search area larger."
        )


def _fits(templates: Sequence[Template], found: Sequence[Found]) -> bool:
    expected, got = _apart_px([t.centre for t in templates]), _apart_px([one.place for one in found])
    return abs(got - expected) <= max(MAX_STRETCH * expected, MAX_STRETCH_PX)


def _turn(templates: Sequence[Template], found: Sequence[Found]) -> float:
    """Degrees by which the line through both marks is turned, -180 to 180."""
    before = templates[1].centre - templates[0].centre
    after = found[1].place - found[0].place
    cross = before[0] * after[1] - before[1] * after[0]
    return float(np.degrees(np.arctan2(cross, before @ after)))


def _apart_px(places: Sequence[np.ndarray]) -> float:
    return float(np.linalg.norm(places[1] - places[0]))


def _total(found: Sequence[Found]) -> float:
    return sum(one.score for one in found)


def _twice(number: int, score: float, other: float) -> NotAligned:
    return NotAligned(
        f"Mark {number} was found in two places (scores {score:.2f} and {other:.2f}): choose a mark that nothing else "
        "looks like, or a smaller search area."
    )


def _apart(templates: Sequence[Template], found: Sequence[Found]) -> NotAligned:
    expected, got = _apart_px([t.centre for t in templates]), _apart_px([one.place for one in found])
    return NotAligned(
        f"The marks are {got:.1f} px apart (scores {found[0].score:.2f} and {found[1].score:.2f}), {expected:.1f} px "
        "in the master: one of them was mistaken for something else, or the camera's distance has changed."
    )
