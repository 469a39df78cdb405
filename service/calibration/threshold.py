"""The threshold of one model version, from scores that the model had not seen when it learned.

Rates are given with exact 95 % intervals (Clopper & Pearson 1934), because a quality engineer has to defend them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.calibration.intervals import beta_quantile, student_quantile
from service.contract.models import CalibrationResult
from service.contract.rules import MIN_OK_SCORES, doubts
from service.errors import InvalidField

ODD_DEVIATIONS = 4.0


@dataclass(frozen=True)
class Rate:
    """Share of `events` among `n` and its exact 95 % interval; all None when n is 0."""

    value: float | None
    ci95: tuple[float, float] | None


def calibrate(
    ok_scores: Sequence[float], ng_scores: Sequence[float], score_percentile: float, own: float | None = None
) -> CalibrationResult:
    """Threshold from out-of-sample OK scores and, when there are any, NG scores. Raises InvalidField.

    From OK scores alone: the level that the next good part stays below with a probability of `score_percentile` %.
    NG scores can only make it stricter. When the classes are apart: the middle between them (geometric: scores are
    positive distances), if that is lower. When they overlap: the level with the smallest sum of miss and false-reject
    rate, if that is lower. `own`, somebody's own threshold, takes the place of all that.
    """
    ok, ng = _checked(ok_scores, "ok_scores"), _checked(ng_scores, "ng_scores")
    if len(ok) < MIN_OK_SCORES:
        raise InvalidField(
            f"ok_scores: {len(ok)} given, at least {MIN_OK_SCORES} are needed; add good samples and fit."
        )
    overlap = bool(ng.min() <= ok.max()) if len(ng) else None
    threshold, method = (own, "manual") if own is not None else _computed(ok, ng, score_percentile)
    own_warnings = _own_warnings(int((ok >= threshold).sum()), int((ng < threshold).sum())) if own is not None else []
    false_reject, miss = rate(int((ok >= threshold).sum()), len(ok)), rate(int((ng < threshold).sum()), len(ng))
    return CalibrationResult(
        threshold=threshold,
        method=method,
        score_percentile=score_percentile,
        ok_mean=float(ok.mean()),
        ng_mean=float(ng.mean()) if len(ng) else None,
        p99_ok=float(np.percentile(ok, 99)),
        p5_ng=float(np.percentile(ng, 5)) if len(ng) else None,
        n_ok=len(ok),
        n_ng=len(ng),
        false_reject_rate=false_reject.value,
        false_reject_ci95=false_reject.ci95,
        miss_rate=miss.value,
        miss_ci95=miss.ci95,
        overlap=overlap,
        warnings=(
            *own_warnings,
            *_odd_warning(int(odd(ok).sum()), left_out=own is None),
            *_warnings(len(ok), len(ng), score_percentile, overlap),
        ),
    )


def rate(events: int, n: int) -> Rate:
    """Observed share with its exact (Clopper-Pearson) 95 % interval."""
    if n == 0:
        return Rate(None, None)
    low = beta_quantile(0.025, events, n - events + 1) if events else 0.0
    high = beta_quantile(0.975, events + 1, n - events) if events < n else 1.0
    return Rate(events / n, (low, high))


def _checked(scores: Sequence[float], name: str) -> np.ndarray:
    values = np.asarray(scores, np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise InvalidField(f"{name}: scores are distances, finite and not negative.")
    return values


def _computed(ok: np.ndarray, ng: np.ndarray, percentile: float) -> tuple[float, str]:
    """Threshold, and the name of how it was found."""
    threshold = _from_ok(ok, percentile)
    if len(ng) == 0:
        return threshold, "ok-tail"
    overlap = ng.min() <= ok.max()
    stricter = _least_error(ok, ng) if overlap else math.sqrt(max(ok.max(), 1e-12) * ng.min())
    if stricter >= threshold:
        return threshold, "ok-tail"
    return stricter, "least-error" if overlap else "between-classes"


def _from_ok(ok: np.ndarray, percentile: float) -> float:
    """Level that the next good part stays below with this probability: the prediction limit of a log-normal sample.

    Whitmore 1986, "Prediction limits for a univariate normal observation". Few scores give a wider margin, where an
    empirical percentile would hang on the one or two largest.
    """
    logs = np.log(np.maximum(ok[~odd(ok)], 1e-12))
    factor = student_quantile(min(percentile / 100, 0.9999), len(logs) - 1) * math.sqrt(1 + 1 / len(logs))
    return float(math.exp(logs.mean() + factor * logs.std(ddof=1)))


def odd(ok: np.ndarray) -> np.ndarray:
    """Bool (n,): scores so far above the others that the part is hardly good. They must not lift the threshold.

    Median and median absolute deviation of the logs, which the odd ones hardly move; at most a tenth is left out.
    """
    logs = np.log(np.maximum(ok, 1e-12))
    above = logs - np.median(logs)
    limit = max(ODD_DEVIATIONS * 1.4826 * float(np.median(np.abs(above))), float(np.quantile(above, 0.9)))
    found: np.ndarray = above > limit
    return found


def _least_error(ok: np.ndarray, ng: np.ndarray) -> float:
    """Level with the smallest miss rate + false-reject rate among all scores; the lowest such, for safety."""
    levels = np.unique(np.concatenate([ok, ng]))
    misses = np.searchsorted(np.sort(ng), levels, side="left") / len(ng)
    false_rejects = 1 - np.searchsorted(np.sort(ok), levels, side="left") / len(ok)
    return float(levels[np.argmin(misses + false_rejects)])


def _own_warnings(n_rejected: int, n_missed: int) -> list[str]:
    said = []
    if n_missed:
        said.append(f"{n_missed} NG samples lie below this threshold: such parts would pass as OK.")
    if n_rejected:
        said.append(f"{n_rejected} good samples reach this threshold: such parts would be rejected.")
    return said


def _odd_warning(count: int, *, left_out: bool) -> list[str]:
    if count == 0:
        return []
    and_left_out = " and were left out" if left_out else ""
    return [f"{count} good samples look unlike all others{and_left_out}: look at them, they may be bad or blurred."]


_SAID = {
    "few_ok": "{n} good samples cannot prove a false-reject rate of {promised} % with 95 % confidence: at least "
    "{needed} good samples without a false reject are needed.",
    "no_ng": "No NG samples: nothing is known about the miss rate. Add parts with real defects.",
    "few_ng": "{n} NG samples cannot prove a miss rate of 5 % with 95 % confidence: at least {needed} are needed.",
    "overlap": "Good and NG samples overlap: no threshold separates them. Look at lighting, focus and ROI first.",
    "never": "{n} good samples cannot prove that no good part is rejected: no number of samples can.",
}


def _warnings(n_ok: int, n_ng: int, percentile: float, overlap: bool | None) -> list[str]:
    found = doubts(n_ok, n_ng, percentile, overlap)
    return [
        _SAID["never" if doubt.values.get("needed") == "∞" else doubt.code].format(**doubt.values) for doubt in found
    ]
