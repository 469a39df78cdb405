"""The threshold of one model version, from scores that the model had not seen when it learned.

Rates are given with exact 95 % intervals (Clopper & Pearson 1934), because a quality engineer has to defend them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from service.calibration.intervals import beta_quantile, student_quantile
from service.contract.models import CalibrationResult
from service.contract.rules import MIN_OK_SCORES, doubts, is_provisional
from service.errors import InvalidField

ODD_DEVIATIONS = 4.0


# More folds would find the same rates and cost their time.
MOST_FOLDS = 100


@dataclass(frozen=True)
class Rate:
    """Share of `events` among `n` and its exact 95 % interval; all None when n is 0."""

    value: float | None
    ci95: tuple[float, float] | None


NOT_MEASURED = Rate(None, None)


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores float64 (n,) and the number of the part, int (n,), that each picture shows."""

    values: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, scores: Sequence[float], parts: Sequence[int] | None, name: str) -> Scores:
        """`parts` None: each picture shows another one. Raises InvalidField."""
        values = np.asarray(scores, np.float64)
        if not np.isfinite(values).all() or (values < 0).any():
            raise InvalidField(f"{name}: scores are distances, finite and not negative.")
        return cls(values, np.arange(len(values)) if parts is None else np.asarray(parts, np.int64))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: np.ndarray) -> Scores:
        return Scores(self.values[chosen], self.parts[chosen])

    @property
    def n_parts(self) -> int:
        return len(np.unique(self.parts))

    @property
    def logs(self) -> np.ndarray:
        found: np.ndarray = np.log(np.maximum(self.values, 1e-12))
        return found


def calibrate(
    ok_scores: Sequence[float], ng_scores: Sequence[float], score_percentile: float, own: float | None = None,
    *, ok_parts: Sequence[int] | None = None, ng_parts: Sequence[int] | None = None,
) -> CalibrationResult:  # fmt: skip
    """Threshold from out-of-sample OK scores and, when there are any, NG scores. Raises InvalidField.

    From OK scores alone: the level that the next good part stays below with a probability of `score_percentile` %.
    NG scores can only make it stricter. When the classes are apart: the middle between them (geometric: scores are
    positive distances), if that is lower. When they overlap: the level with the smallest sum of miss and false-reject
    rate, if that is lower. `own`, somebody's own threshold, takes the place of all that.

    `ok_parts`, `ng_parts`: the part that each picture shows; left out: each shows another one. With fewer good parts
    than the promise needs the result is provisional and the threshold errs to the strict side.

    Rates are cross-fitted: each part is counted against the threshold that all others give. Somebody's own threshold
    was chosen by looking at these scores, so they measure nothing about it.
    """
    ok, ng = Scores.of(ok_scores, ok_parts, "ok_scores"), Scores.of(ng_scores, ng_parts, "ng_scores")
    if len(ok) < MIN_OK_SCORES:
        raise InvalidField(
            f"ok_scores: {len(ok)} given, at least {MIN_OK_SCORES} are needed; add good samples and fit."
        )
    overlap = bool(ng.values.min() <= ok.values.max()) if len(ng) else None
    threshold, method = _computed(ok, ng, score_percentile)
    if own is not None and not math.isclose(own, threshold, rel_tol=1e-6):
        threshold, method = own, "manual"
    manual = method == "manual"
    rejected, missed = int((ok.values >= threshold).sum()), int((ng.values < threshold).sum())
    false_reject = NOT_MEASURED if manual else _false_rejects(ok, ng, score_percentile)
    miss = NOT_MEASURED if manual else _misses(ok, ng, score_percentile)
    return CalibrationResult(
        threshold=threshold,
        method=method,
        score_percentile=score_percentile,
        provisional=is_provisional(ok.n_parts, score_percentile),
        ok_mean=float(ok.values.mean()),
        ng_mean=float(ng.values.mean()) if len(ng) else None,
        p99_ok=float(np.percentile(ok.values, 99)),
        p5_ng=float(np.percentile(ng.values, 5)) if len(ng) else None,
        n_ok=len(ok),
        n_ng=len(ng),
        n_ok_parts=ok.n_parts,
        n_ng_parts=ng.n_parts,
        n_ok_rejected=rejected,
        n_ng_missed=missed,
        false_reject_rate=false_reject.value,
        false_reject_ci95=false_reject.ci95,
        miss_rate=miss.value,
        miss_ci95=miss.ci95,
        overlap=overlap,
        warnings=(
            *(_own_warnings(rejected, missed) if manual else ()),
            *_odd_warning(int(odd(ok.values).sum()), left_out=not manual),
            *_warnings(ok, ng, score_percentile, overlap),
        ),
    )


def rate(events: int, n: int, n_parts: int | None = None) -> Rate:
    """Observed share with its exact (Clopper-Pearson) 95 % interval.

    `n_parts` of them are independent: pictures of one part tell the same, so the interval is that of so many trials
    with this share of events (Korn & Graubard 1998, with the most that pictures of one part can have in common).
    """
    if n == 0:
        return NOT_MEASURED
    trials = n if n_parts is None else n_parts
    share = events / n * trials
    low = beta_quantile(0.025, share, trials - share + 1) if events else 0.0
    high = beta_quantile(0.975, share + 1, trials - share) if events < n else 1.0
    return Rate(events / n, (low, high))


def _false_rejects(ok: Scores, ng: Scores, percentile: float) -> Rate:
    if ok.n_parts <= MIN_OK_SCORES:  # what is left of them gives no threshold
        return NOT_MEASURED
    rejected = sum(int((ok.values[fold] >= _computed(ok[~fold], ng, percentile)[0]).sum()) for fold in _folds(ok))
    return rate(rejected, len(ok), ok.n_parts)


def _misses(ok: Scores, ng: Scores, percentile: float) -> Rate:
    missed = sum(int((ng.values[fold] < _computed(ok, ng[~fold], percentile)[0]).sum()) for fold in _folds(ng))
    return rate(missed, len(ng), ng.n_parts)


def _folds(scores: Scores) -> Iterator[np.ndarray]:
    """Bool (n,): the pictures of each part in turn, or of several when there are many."""
    for parts in np.array_split(np.unique(scores.parts), min(MOST_FOLDS, max(1, scores.n_parts))):
        yield np.isin(scores.parts, parts)


def _computed(ok: Scores, ng: Scores, percentile: float) -> tuple[float, str]:
    """Threshold, and the name of how it was found."""
    threshold = _from_ok(ok, percentile)
    if len(ng) == 0:
        return threshold, "ok-tail"
    highest_ok, lowest_ng = ok.values.max(), ng.values.min()
    overlap = lowest_ng <= highest_ok
    stricter = _least_error(ok.values, ng.values) if overlap else math.sqrt(max(highest_ok, 1e-12) * lowest_ng)
    if stricter >= threshold:
        return threshold, "ok-tail"
    return stricter, "least-error" if overlap else "between-classes"


def _from_ok(ok: Scores, percentile: float) -> float:
    """Level that the next good part stays below with this probability: the prediction limit of a log-normal sample.

    Whitmore 1986, "Prediction limits for a univariate normal observation". An empirical percentile would hang on the
    one or two largest. Parts count the same, however often each was photographed.
    """
    ok = ok[~odd(ok.values)]
    n, share = ok.n_parts, min(percentile / 100, 0.9999)
    _, part, pictures = np.unique(ok.parts, return_inverse=True, return_counts=True)
    weights = 1 / pictures[part]
    mean = float(np.average(ok.logs, weights=weights))
    spread = float(np.average((ok.logs - mean) ** 2, weights=weights)) * n / max(n - 1, 1)
    return math.exp(mean + _deviations(share, n) * math.sqrt(spread))


@lru_cache(maxsize=256)
def _deviations(share: float, n: int) -> float:
    """How far above the mean of n parts the limit lies: the prediction limit up to the share that n parts can prove.

    Beyond it the plain quantile, without a margin for what few parts leave open: the limit still rises with the share.
    """
    if n < 2:
        return NormalDist().inv_cdf(share)
    provable: float = min(share, 0.05 ** (1 / n))
    prediction = student_quantile(provable, n - 1) * math.sqrt(1 + 1 / n)
    return prediction if provable == share else max(prediction, NormalDist().inv_cdf(share))


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
    "few_ok": "{n} good parts cannot prove a false-reject rate of {promised} % with 95 % confidence: at least "
    "{needed} good parts without a false reject are needed. Until then the threshold is provisional, and strict.",
    "few_parts": "{n} good pictures, but they look like {parts} parts: only different parts show how parts differ.",
    "no_ng": "No NG samples: nothing is known about the miss rate. Add parts with real defects.",
    "few_ng": "{n} NG parts cannot prove a miss rate of 5 % with 95 % confidence: at least {needed} are needed.",
    "overlap": "Good and NG samples overlap: no threshold separates them. Look at lighting, focus and ROI first.",
    "never": "{n} good parts cannot prove that no good part is rejected: no number of parts can.",
}


def _warnings(ok: Scores, ng: Scores, percentile: float, overlap: bool | None) -> list[str]:
    found = doubts(len(ok), len(ng), percentile, overlap, ok_parts=ok.n_parts, ng_parts=ng.n_parts)
    return [
        _SAID["never" if doubt.values.get("needed") == "∞" else doubt.code].format(**doubt.values) for doubt in found
    ]
