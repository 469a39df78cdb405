"""Which regions make most parts NG? Bars from the largest, and the share of all that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from service.contract.inspections import RoiSummary, TrendPoint


@dataclass(frozen=True)
class Bar:
    """`cumulated`: 0 to 1."""

    name: str
    n_ng: int
    cumulated: float


def pareto(rois: Iterable[RoiSummary]) -> list[Bar]:
    """Only regions with NG; those with as many by name."""
    ordered = sorted((roi for roi in rois if roi.n_ng), key=lambda roi: (-roi.n_ng, name_of(roi)))
    total, so_far, bars = sum(roi.n_ng for roi in ordered), 0, []
    for roi in ordered:
        so_far += roi.n_ng
        bars.append(Bar(name_of(roi), roi.n_ng, so_far / total))
    return bars


def name_of(roi: RoiSummary | TrendPoint) -> str:
    return f"{roi.role_id} / {roi.roi_id}"


def series(trend: Iterable[TrendPoint]) -> dict[str, list[TrendPoint]]:
    """Points of each region in the order of time; only those with inspections."""
    found: dict[str, list[TrendPoint]] = {}
    for point in sorted(trend, key=lambda point: point.start_utc):
        if point.n and point.score_mean is not None:
            found.setdefault(name_of(point), []).append(point)
    return found
