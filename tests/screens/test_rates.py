"""What the screens say of a threshold: rates that were measured, or why they were not, and what is provisional."""

from __future__ import annotations

import pytest

from gui.inspect import drawing
from gui.kit.words import Words
from gui.language import Language
from gui.line.part import Part, State
from gui.teach.provisional import provisional_in_words
from gui.teach.rates import measured, sentences, value
from service.calibration.threshold import calibrate
from service.contract.frames import FrameRoi, InspectAnswer
from service.contract.models import CalibrationAnswer, CalibrationResult

ENGLISH, SPANISH = Words(lambda: "en"), Words(lambda: "es")
GOOD, BAD = [1.0 + 0.01 * number for number in range(12)], [0.5, 3.0, 4.0]


def found(result: CalibrationResult) -> CalibrationAnswer:
    return CalibrationAnswer(**result.model_dump(), mm_per_px=0.1, area_mm2_thr=1.0, model_version=1, request_id="r")


def said(words: Words, answer: CalibrationAnswer) -> list[str]:
    return [f"{value(words, one)}: {' '.join(sentences(words, one))}" for one in measured(answer)]


def test_ones_own_threshold_is_not_measured_and_its_pictures_are_counted() -> None:
    own = found(calibrate(GOOD, BAD, 95.0, 1.105))
    assert said(ENGLISH, own) == [
        "not measured: This threshold was chosen by looking at these pictures, so they measure nothing about it. "
        "1 of 12 of these good pictures would be rejected.",
        "not measured: This threshold was chosen by looking at these pictures, so they measure nothing about it. "
        "1 of 3 of these NG pictures would pass.",
    ]
    assert said(SPANISH, own)[1].startswith("no medido: Este umbral se eligió mirando estas imágenes")
    assert said(SPANISH, own)[1].endswith("De estas 3 imágenes NG pasarían 1.")


def test_a_threshold_that_follows_is_measured_with_an_interval_and_its_pictures_are_counted_too() -> None:
    false_rejects, misses = said(ENGLISH, found(calibrate(GOOD, [3.0, 4.0], 95.0)))
    assert false_rejects.startswith("8.3 %: Measured on parts that did not set this threshold. With 95 % confidence")
    assert false_rejects.endswith("0 of 12 of these good pictures would be rejected.")
    assert misses.startswith("0.0 %: ")
    assert misses.endswith("0 of 2 of these NG pictures would pass.")


def test_without_pictures_and_with_too_few_parts_the_reason_is_another_one() -> None:
    few, none = said(ENGLISH, found(calibrate([1.0, 1.1, 1.2], [], 95.0)))
    assert few.startswith("not measured: There are too few different parts to measure with. ")
    assert none == "not measured: There are no NG pictures to measure with."


@pytest.mark.parametrize(
    ("rejected", "missed", "levels"),
    [
        (0.0, 0.0, ["fine", "fine"]),
        (0.1, 0.05, ["fine", "fine"]),
        (0.11, 0.051, ["high", "high"]),
        (0.21, 0.25, ["very_high", "very_high"]),
        (None, None, ["fine", "fine"]),
    ],
)
def test_a_bad_rate_looks_bad(rejected: float | None, missed: float | None, levels: list[str]) -> None:
    rates = {"false_reject_rate": rejected, "miss_rate": missed, "score_percentile": 95.0}
    answer = found(calibrate(GOOD, BAD, 95.0)).model_copy(update=rates)
    assert [one.level for one in measured(answer)] == levels


def test_a_provisional_threshold_says_how_many_parts_it_has_and_needs() -> None:
    strict, own = (found(calibrate(GOOD, [], 95.0, threshold)) for threshold in (None, 7.0))
    assert strict.provisional
    assert provisional_in_words(ENGLISH, strict) == (
        "Provisional: 12 different good parts; the promise needs 59. Until then the threshold is strict: "
        "expect false rejects."
    )
    assert provisional_in_words(SPANISH, strict).startswith("Provisional: 12 piezas buenas distintas;")
    assert "strict: expect" not in provisional_in_words(ENGLISH, own), "nothing makes one's own threshold strict"
    assert "no number of parts" in provisional_in_words(ENGLISH, found(calibrate(GOOD, [], 100.0)))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("provisional", [True, False])
def test_the_operator_sees_a_provisional_verdict_beside_the_same_word(language: Language, provisional: bool) -> None:
    roi = FrameRoi(
        roi_id="ring", verdict="OK", provisional=provisional, score=1, threshold=2, model_version=1, inspection_id="i",
        shape={}, to_frame=((1, 0, 0), (0, 1, 0)), outline=[], inner_outline=None, regions=[], heatmap_png_base64=None,
    )  # fmt: skip
    answer = InspectAnswer(
        request_id="r", frame_id="f", time_utc="", role_id="disc", part_id=None, verdict="OK", provisional=provisional,
        layout_revision=1, mm_per_px=1, width=1, height=1, alignment=None, rois=[roi], timings_ms={},
    )  # fmt: skip
    words, part = Words(lambda: language), Part(State.OK, answer=answer)
    drawn = drawing.verdict(words, part)
    assert 'class="verdict v-OK"' in drawn
    assert (">OK<" in drawn, "PROVISIONAL" in drawn) == (True, provisional)
    assert ("PROVISIONAL" in drawing.why(words, part)) is provisional
