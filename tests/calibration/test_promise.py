"""What a threshold promises about parts that nobody has seen, measured on parts that nobody has seen."""

from __future__ import annotations

import numpy as np
import pytest

from service.calibration.threshold import calibrate, rate
from service.contract.rules import enough_ok


def drawn(rng: np.random.Generator, n_parts: int, each: int, between: float, within: float) -> np.ndarray:
    """Log-normal scores (n_parts * each,): parts differ by `between`, pictures of one by `within`."""
    parts = np.repeat(rng.normal(0, between, n_parts), each)
    found: np.ndarray = np.exp(parts + rng.normal(0, within, len(parts)))
    return found


def false_rejects(n_parts: int, each: int, percentile: float, rounds: int = 400) -> float:
    """Share of new parts that are rejected, over thresholds from so many parts, each photographed so often."""
    rng, parts = np.random.default_rng(0), np.repeat(np.arange(n_parts), each).tolist()
    shares = []
    for _ in range(rounds):
        found = calibrate(drawn(rng, n_parts, each, 0.1, 0.03).tolist(), [], percentile, ok_parts=parts)
        shares.append((drawn(rng, 200, 1, 0.1, 0.03) >= found.threshold).mean())
    return float(np.mean(shares))


def test_enough_parts_keep_the_promise() -> None:
    assert false_rejects(59, 1, 95) == pytest.approx(0.05, abs=0.012)


def test_parts_photographed_often_keep_it_too() -> None:
    assert false_rejects(59, 4, 95, rounds=200) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("n_parts", [5, 12, 30])
def test_too_few_parts_err_to_the_strict_side(n_parts: int) -> None:
    assert false_rejects(n_parts, 1, 95) > 0.05


def test_copies_of_few_parts_do_not_pass_for_many() -> None:
    """Pictures taken for different parts would give 80 of 5 parts the confidence of 80."""
    scores = drawn(np.random.default_rng(1), 5, 16, 0.1, 0.03).tolist()
    found = calibrate(scores, [], 95, ok_parts=np.repeat(np.arange(5), 16).tolist())
    assert (found.n_ok, found.n_ok_parts, found.provisional) == (80, 5, True)
    assert "80 good pictures, but they look like 5 parts" in " ".join(found.warnings)
    assert calibrate(scores, [], 95).provisional is False
    assert found.false_reject_ci95 is not None
    assert found.false_reject_ci95[1] > 0.5


def test_a_calibration_is_provisional_below_what_the_promise_needs() -> None:
    needed = enough_ok(95)
    assert needed == 59
    good = drawn(np.random.default_rng(2), 59, 1, 0.1, 0.03).tolist()
    assert calibrate(good, [], 95).provisional is False
    assert calibrate(good[:58], [], 95).provisional is True
    assert calibrate(good, [], 99).provisional is True


def test_misses_are_measured_on_ng_parts_that_did_not_set_the_threshold() -> None:
    """Classes that overlap: on the pictures that chose the threshold it looks better than it is."""
    rng = np.random.default_rng(3)
    measured, counted, true = [], [], []
    for _ in range(100):
        ok, ng = np.exp(rng.normal(0, 0.1, 60)), np.exp(rng.normal(0.12, 0.1, 20))
        found = calibrate(ok.tolist(), ng.tolist(), 95)
        measured.append(found.miss_rate)
        counted.append((found.n_ng_missed or 0) / 20)
        true.append((np.exp(rng.normal(0.12, 0.1, 500)) < found.threshold).mean())
    assert np.mean(counted) < np.mean(true) - 0.02
    assert np.mean(measured) == pytest.approx(np.mean(true), abs=0.03)


def test_somebody_s_own_threshold_was_chosen_by_these_pictures_and_measures_nothing() -> None:
    good, bad = [1.0, 1.1, 0.9, 1.2, 1.05], [2.0, 3.0]
    found = calibrate(good, bad, 95, own=1.15)
    assert (found.method, found.n_ok_rejected, found.n_ng_missed) == ("manual", 1, 0)
    assert (found.false_reject_rate, found.false_reject_ci95, found.miss_rate, found.miss_ci95) == (None,) * 4


def test_the_suggested_threshold_sent_back_is_the_suggested_one() -> None:
    good, bad = [1.0, 1.1, 0.9, 1.2, 1.05], [2.0, 3.0]
    suggested = calibrate(good, bad, 95)
    assert calibrate(good, bad, 95, own=suggested.threshold) == suggested


def test_intervals_go_by_parts() -> None:
    alone, copies = rate(2, 20), rate(8, 80, 20)
    assert alone.value == copies.value
    assert copies.ci95 == pytest.approx(alone.ci95)
    assert rate(0, 80, 5).ci95 == rate(0, 5).ci95
