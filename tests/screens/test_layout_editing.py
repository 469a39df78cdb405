"""What can be done to a layout while it is drawn, and what is refused before the service is asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gui.layout.editing import Draft, Editing
from gui.layout.geometry import Refused, half_reach, refuse_outside
from service.contract.layouts import Box, Mark, Roi
from service.contract.shapes import Annulus, Circle, Rect
from service.vision.roi_picture import outlines

SIZE = (640, 480)
RECT = {"kind": "rect", "x": 100, "y": 100, "w": 80, "h": 40}
RING = {"kind": "annulus", "cx": 300, "cy": 200, "r": 90, "r_inner": 50}


@pytest.fixture
def editing() -> Editing:
    return Editing(Draft(mm_per_px=0.25), SIZE)


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, match=code)


def test_each_kind_is_drawn_named_and_selected(editing: Editing) -> None:
    editing.add_roi(RECT, "zona")
    editing.add_roi({"kind": "circle", "cx": 50, "cy": 60, "r": 20}, "zona")
    editing.add_roi(RING, "zona")
    assert [roi.roi_id for roi in editing.draft.rois] == ["zona-1", "zona-2", "zona-3"]
    assert [type(roi.shape) for roi in editing.draft.rois] == [Rect, Circle, Annulus]
    assert editing.selected == "roi:2"
    assert editing.dirty


def test_undo_goes_back_step_by_step_and_redo_forth(editing: Editing) -> None:
    editing.add_roi(RECT, "a")
    editing.reshape("roi:0", {"x": 120.5})
    editing.reshape("roi:0", {"angle": 30})
    after = editing.draft
    editing.undo()
    assert editing.draft.rois[0].angle_deg == 0
    editing.undo()
    assert editing.draft.rois[0].shape == Rect(**RECT)
    editing.undo()
    assert (editing.draft.rois, editing.selected, editing.dirty) == ((), None, False)
    for _ in range(3):
        editing.redo()
    assert editing.draft == after
    editing.undo()
    editing.reshape("roi:0", {"w": 50})
    assert not editing.possible("redo")


def test_a_change_that_changes_nothing_is_no_step(editing: Editing) -> None:
    editing.add_roi(RECT, "a")
    editing.reshape("roi:0", {"x": 100.0})
    editing.undo()
    assert editing.draft.rois == ()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({**RECT, "w": 0}, "too_small"),
        ({**RECT, "h": 7.9}, "too_small"),
        ({**RECT, "w": math.nan}, "too_small"),
        ({"kind": "circle", "cx": 50, "cy": 50, "r": 0}, "too_small"),
        ({**RING, "r_inner": 90}, "inner_too_large"),
        ({**RING, "r_inner": -1}, "inner_too_large"),
        ({**RECT, "x": 600}, "outside"),
        ({**RECT, "y": -1}, "outside"),
        ({**RING, "cx": 80}, "outside"),
    ],
)
def test_what_has_no_size_or_leaves_the_picture_is_not_made(
    editing: Editing, values: dict[str, object], code: str
) -> None:
    with refused(code):
        editing.add_roi(values, "a")
    assert editing.draft.rois == ()
    assert not editing.possible("undo")


def test_a_turn_that_pushes_a_corner_out_is_refused_and_nothing_has_changed(editing: Editing) -> None:
    editing.add_roi({"kind": "rect", "x": 0, "y": 0, "w": 200, "h": 40}, "a")
    before = editing.draft
    with refused("outside") as refusal:
        editing.reshape("roi:0", {"angle": 45})
    assert refusal.value.values["name"] == "a-1"
    assert editing.draft is before


def test_a_roi_may_reach_to_the_very_edge(editing: Editing) -> None:
    editing.add_roi({"kind": "rect", "x": 0, "y": 0, "w": 640, "h": 480}, "a")
    editing.add_roi({"kind": "circle", "cx": 319.5, "cy": 239.5, "r": 240}, "a")
    with refused("outside"):
        editing.reshape("roi:1", {"r": 240.1})


def test_it_lies_outside_exactly_when_the_service_says_so() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        x, y, w, h = random.uniform(0, 400), random.uniform(0, 300), random.uniform(10, 300), random.uniform(10, 200)
        roi = Roi(roi_id="a", shape=Rect(kind="rect", x=x, y=y, w=w, h=h), angle_deg=random.uniform(-180, 180))
        corners = outlines(roi)[0]
        assert (corners.max(0) - corners.min(0)) / 2 == pytest.approx(half_reach(roi), abs=0.001)
        out = max(-0.5 - corners.min(), (corners.max(0) - [639.5, 479.5]).max())
        try:
            refuse_outside(roi, SIZE)
            assert out < 0.012
        except Refused:
            assert out > 0.011


def test_copies_lie_beside_with_names_of_their_own(editing: Editing) -> None:
    editing.add_roi({**RING, "cx": 540, "cy": 380}, "ring")  # no room to the right and below
    editing.reshape("roi:0", {"angle": 12})
    editing.copy()
    editing.paste()
    editing.duplicate()
    first, second, third = editing.draft.rois
    assert [first.roi_id, second.roi_id, third.roi_id] == ["ring-1", "ring-2", "ring-3"]
    assert (second.shape.cx, second.shape.cy) == (520, 360)
    assert second.angle_deg == 12
    assert third.shape != second.shape
    assert editing.selected == "roi:2"


def test_names_are_kept_apart(editing: Editing) -> None:
    editing.add_roi(RECT, "a")
    editing.add_roi(RING, "a")
    with refused("name_taken"):
        editing.rename("a-1")
    with refused("name_missing"):
        editing.rename("  ")
    editing.rename(" hub ")
    assert editing.roi is not None
    assert editing.roi.roi_id == "hub"


def test_a_locked_layout_refuses_every_change_but_the_unlocking(editing: Editing) -> None:
    editing.add_roi(RECT, "a")
    editing.copy()
    editing.set_locked(True)
    for change in (
        lambda: editing.add_roi(RING, "a"),
        lambda: editing.add_mark(RECT),
        lambda: editing.reshape("roi:0", {"x": 1}),
        lambda: editing.rename("b"),
        editing.delete,
        editing.paste,
        editing.undo,
        lambda: editing.set_scale(1.0),
    ):
        with refused("locked"):
            change()
    assert editing.draft.rois[0].shape == Rect(**RECT)
    editing.set_locked(False)
    editing.delete()
    assert editing.draft.rois == ()


def test_a_mark_takes_its_search_area_along_and_two_are_enough(editing: Editing) -> None:
    editing.add_mark({"x": 100, "y": 100, "w": 40, "h": 20})
    (mark,) = editing.draft.marks
    assert mark.search == Box(x=70, y=70, w=100, h=80)
    editing.reshape("mark:0", {"x": 20, "y": 100})
    (mark,) = editing.draft.marks
    assert mark == Mark(x=20, y=100, w=40, h=20, search=Box(x=0, y=70, w=100, h=80))
    with refused("search_misses_mark"):
        editing.reshape("search:0", {"x": 30, "w": 60})
    with refused("mark_outside"):
        editing.reshape("search:0", {"w": 700})
    with refused("too_small"):
        editing.add_mark({"x": 300, "y": 300, "w": 15, "h": 40})
    editing.add_mark({"x": 300, "y": 300, "w": 30, "h": 30})
    with refused("two_marks"):
        editing.add_mark({"x": 400, "y": 300, "w": 30, "h": 30})
    editing.select("search:1")
    editing.delete()
    assert editing.draft.marks == (mark,)


def test_angles_stay_between_minus_and_plus_180(editing: Editing) -> None:
    editing.add_roi(RING, "a")
    for entered, kept in ((190, -170), (-190, 170), (360, 0), (45.004, 45)):
        editing.reshape("roi:0", {"angle": entered})
        assert editing.draft.rois[0].angle_deg == kept


def test_saved_is_what_was_sent_not_what_was_drawn_meanwhile(editing: Editing) -> None:
    editing.add_roi(RECT, "a")
    sent = editing.draft
    editing.add_roi(RING, "a")
    editing.now_saved(sent)
    assert editing.dirty
    editing.undo()
    assert not editing.dirty
