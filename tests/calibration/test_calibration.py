"""The threshold from scores, with rates an auditor can check."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, t

from service.calibration.intervals import beta_cdf, student_quantile
from service.calibration.threshold import calibrate, rate
from service.contract.models import CalibrationResult
from service.contract.rules import MIN_OK_SCORES
from service.errors import InvalidField

GOOD = [1.0, 1.1, 0.9, 1.2, 1.05, 0.95, 1.15, 1.0, 1.1, 0.98]
scores = st.lists(st.floats(0.01, 100), min_size=MIN_OK_SCORES, max_size=30)


def said(found: CalibrationResult) -> str:
    return " ".join(found.warnings)


@pytest.mark.parametrize(("events", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (0, 1), (1, 1), (3, 299), (0, 59)])
def test_rates_have_the_exact_interval_of_clopper_and_pearson(events: int, n: int) -> None:
    found = rate(events, n)
    low = 0.0 if events == 0 else beta.ppf(0.025, events, n - events + 1)
    high = 1.0 if events == n else beta.ppf(0.975, events + 1, n - events)
    assert found.value == events / n
    assert found.ci95 == pytest.approx((low, high), abs=1e-9)


# Nearer to 1 it is scipy that is wrong, by 3e-9 at 1 - 1e-16: the next test has what is right there.
@given(st.floats(0, 1 - 1e-6), st.floats(0.5, 3000), st.floats(0.5, 3000))
def test_the_beta_distribution_is_that_of_scipy(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(beta.cdf(x, a, b), abs=1e-11)


@given(st.floats(0, 1))
def test_the_beta_distribution_of_two_halves_is_the_arcsine(x: float) -> None:
    """Told from the nearer end: there the root loses nothing."""
    expected = 2 / math.pi * math.asin(math.sqrt(x)) if x < 0.5 else 1 - 2 / math.pi * math.asin(math.sqrt(1 - x))
    assert beta_cdf(x, 0.5, 0.5) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 9, 298, 99_999])
@pytest.mark.parametrize("p", [0.0005, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_the_quantiles_of_student_are_those_of_scipy(p: float, degrees: int) -> None:
    assert student_quantile(p, degrees) == pytest.approx(t.ppf(p, degrees), rel=1e-9, abs=1e-7)


def test_without_samples_there_is_no_rate() -> None:
    found = rate(0, 0)
    assert (found.value, found.ci95) == (None, None)


def test_good_scores_alone_give_a_threshold_above_them_and_say_what_is_unknown() -> None:
    found = calibrate(GOOD, [], 99)
    assert found.threshold > max(GOOD)
    assert (found.n_ok, found.n_ng, found.ng_mean, found.p5_ng, found.overlap) == (10, 0, None, None, None)
    assert found.miss_rate is None
    assert "nothing is known about the miss rate" in said(found)
    assert "10 good parts cannot prove a false-reject rate of 1 %" in said(found)
    assert "at least 299 good parts" in said(found)


def test_enough_good_samples_for_the_promised_rate_are_not_warned_about() -> None:
    many = list(np.random.default_rng(0).lognormal(0, 0.1, 299))
    assert "cannot prove a false-reject rate" not in said(calibrate(many, [], 99))
    assert "cannot prove a false-reject rate" in said(calibrate(many[:298], [], 99))
    assert "no number of parts can" in said(calibrate(many, [], 100))


def test_classes_that_are_apart_are_told_apart() -> None:
    found = calibrate(GOOD, [3.0, 4.0, 5.0], 99)
    assert max(GOOD) < found.threshold <= 3.0
    assert (found.overlap, found.n_ng_missed, found.n_ok_rejected) == (False, 0, 0)
    assert "3 NG parts cannot prove a miss rate of 5 %" in said(found)


def test_classes_that_overlap_are_said_to() -> None:
    found = calibrate(GOOD, [1.1, 1.3, 2.0], 99)
    assert found.overlap is True
    assert "overlap" in said(found)
    assert found.miss_rate is not None
    assert found.false_reject_rate is not None


def test_enough_ng_samples_are_not_warned_about() -> None:
    assert "miss rate" not in said(calibrate(GOOD, [5.0] * 59, 99))


@settings(max_examples=300, deadline=None)
@given(scores, scores, st.floats(50, 100))
def test_ng_scores_can_only_make_the_threshold_stricter(ok: list[float], ng: list[float], percentile: float) -> None:
    assert calibrate(ok, ng, percentile).threshold <= calibrate(ok, [], percentile).threshold


@settings(max_examples=300, deadline=None)
@given(scores, st.lists(st.floats(0.01, 100), max_size=30), st.floats(50, 100))
def test_a_calibration_is_always_a_number_and_counts_what_its_verdicts_are(
    ok: list[float], ng: list[float], percentile: float
) -> None:
    found = calibrate(ok, ng, percentile)
    assert math.isfinite(found.threshold)
    assert found.threshold > 0
    assert found.n_ok_rejected == sum(score >= found.threshold for score in ok)
    assert found.n_ng_missed == sum(score < found.threshold for score in ng)
    assert (found.miss_rate is None) == (not ng)
    assert found.overlap == (min(ng) <= max(ok) if ng else None)


@settings(max_examples=100, deadline=None)
@given(scores, st.floats(50, 99), st.floats(0, 1))
def test_a_higher_percentile_is_never_stricter(ok: list[float], percentile: float, more: float) -> None:
    assert calibrate(ok, [], percentile).threshold <= calibrate(ok, [], percentile + more).threshold * (1 + 1e-12)


@pytest.mark.parametrize("ok", [[], [1.0], [1.0] * (MIN_OK_SCORES - 1)])
def test_too_few_good_scores_are_refused(ok: list[float]) -> None:
    with pytest.raises(InvalidField, match=f"{len(ok)} given, at least {MIN_OK_SCORES}"):
        calibrate(ok, [5.0], 99)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_scores_that_cannot_be_distances_are_refused(bad: float) -> None:
    with pytest.raises(InvalidField, match="ok_scores"):
        calibrate([*GOOD, bad], [], 99)
    with pytest.raises(InvalidField, match="ng_scores"):
        calibrate(GOOD, [bad], 99)


def test_good_parts_that_all_score_nothing_leave_a_threshold_that_can_be_reached_only_from_above() -> None:
    assert calibrate([0.0] * 5, [], 99).threshold > 0
    assert calibrate([0.0] * 5, [1.0], 99).threshold > 0
