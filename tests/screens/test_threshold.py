"""The threshold as a line over scores: axis, bars, neighbours of the line, and what so many pictures can prove."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gui.kit.svg import Box, picture_svg, shape_path
from gui.kit.words import Words
from gui.teach.score_axis import Axis, axis, histogram, nearest, tick_digits, ticks
from service.contract.rules import doubts, enough_ok


@dataclass(frozen=True)
class Sample:
    score: float


def test_the_axis_holds_every_score_and_the_line() -> None:
    along = axis([1.0, 1.5, 2.0], [3.0, 5.0], 2.4)
    assert along.low < 1.0
    assert along.high > 5.0
    assert along.share(along.low) == 0
    assert along.share((along.low + along.high) / 2) == pytest.approx(0.5)
    assert along.beyond == 0


def test_one_score_far_out_does_not_squeeze_the_others() -> None:
    along = axis([1.0, 1.1, 1.2], [1.9, 400.0], 1.5)
    assert along.high < 10
    assert along.beyond == 1
    assert histogram([400.0], along)[-1] == 1


@pytest.mark.parametrize("scores", [[], [0.0], [1.0, 1.0, 1.0], [1e-9, 2e-9], [1e9]])
def test_odd_scores_still_have_an_axis(scores: list[float]) -> None:
    along = axis(scores, [], None)
    assert along.high > along.low >= 0
    assert along.step > 0
    assert sum(histogram(scores, along)) == len(scores)
    assert ticks(along)
    assert 0 <= along.digits <= 12


def test_bars_are_equal_parts_of_the_axis() -> None:
    assert histogram([0.0, 0.24, 0.25, 0.99, 1.0, 5.0], Axis(0, 1), 4) == [2, 1, 0, 3]


def test_ticks_are_round_and_inside() -> None:
    values = ticks(Axis(0.83, 2.41))
    assert values == [1.0, 1.5, 2.0]
    assert tick_digits(values) == 1


def test_a_picture_at_the_threshold_is_rejected() -> None:
    below, above = nearest([Sample(value) for value in (1.0, 3.0, 2.0, 2.5, 4.0)], 2.5, 2)
    assert [sample.score for sample in below] == [2.0, 1.0]
    assert [sample.score for sample in above] == [2.5, 3.0]


@pytest.mark.parametrize(
    ("n_ok", "n_ng", "overlap", "said"),
    [
        (2, 9, None, ["too_few_to_calibrate"]),
        (10, 0, None, ["no_ng", "few_ok"]),
        (58, 58, False, ["few_ng", "few_ok"]),
        (59, 59, False, []),
        (500, 59, True, ["overlap"]),
    ],
)
def test_too_few_samples_are_told_in_a_sentence(n_ok: int, n_ng: int, overlap: bool | None, said: list[str]) -> None:
    found = doubts(n_ok, n_ng, 95.0, overlap)
    assert [doubt.code for doubt in found] == said


def test_pictures_of_few_parts_are_told_and_counted_as_parts() -> None:
    found = doubts(80, 70, 95.0, False, ok_parts=6, ng_parts=3)
    assert [(doubt.code, doubt.values.get("n")) for doubt in found] == [("few_parts", 80), ("few_ng", 3), ("few_ok", 6)]
    for language in ("en", "es"):
        words = Words(lambda language=language: language)  # type: ignore[misc]
        sentence = words(f"teach.{found[0].code}", **found[0].values)
        assert "80" in sentence
        assert "6" in sentence


def test_as_many_parts_as_the_service_asks_for() -> None:
    from service.calibration.threshold import calibrate

    needed = enough_ok(95.0)
    assert needed is not None
    assert f"at least {needed} good parts" in " ".join(calibrate([1.0, 1.1, 1.2], [], 95.0).warnings)
    assert enough_ok(100.0) is None


def test_a_shape_is_drawn_as_it_is_inspected() -> None:
    ring = {"kind": "annulus", "cx": 50, "cy": 40, "r": 30, "r_inner": 10}
    assert shape_path(ring).count("M") == 2
    assert shape_path({"kind": "rect", "x": 1, "y": 2, "w": 3.5, "h": 4}) == "M1 2h3.5v4h-3.5Z"
    svg = picture_svg('/p?a=1&b="x"', 100, 80, shape=ring, alt="<bad>")
    assert 'viewBox="0 0 100 80"' in svg
    assert "&quot;x&quot;" in svg
    assert "<bad>" not in svg


def test_a_spot_at_the_edge_is_seen_whole() -> None:
    view = Box(96, 0, 4, 4).around(5, 20, 100, 80)
    assert (view.x, view.y, view.w, view.h) == (80, 0, 20, 20)
