"""The figures of overview and report: counts, Pareto of the ROIs by NG verdicts, trends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gui.kit import formats
from gui.kit.words import Words
from gui.language import Language
from service.contract.frames import FramesSummary
from service.contract.inspections import RoiSummary, TrendPoint

COUNTS = ("roi", "n", "ok", "ng", "ng_share", "score_mean", "score_p95")


@dataclass(frozen=True)
class Bar:
    """`cumulated`: 0 to 1."""

    name: str
    n_ng: int
    cumulated: float


def pareto(rois: Iterable[RoiSummary]) -> list[Bar]:
    """Only ROIs with NG verdicts; equal ones by name."""
    ordered = sorted((roi for roi in rois if roi.n_ng), key=lambda roi: (-roi.n_ng, name_of(roi)))
    total, so_far, bars = sum(roi.n_ng for roi in ordered), 0, []
    for roi in ordered:
        so_far += roi.n_ng
        bars.append(Bar(name_of(roi), roi.n_ng, so_far / total))
    return bars


def name_of(roi: RoiSummary | TrendPoint) -> str:
    return f"{roi.role_id} / {roi.roi_id}"


def series(trend: Iterable[TrendPoint]) -> dict[str, list[TrendPoint]]:
    """Points of each ROI in the order of time; only points with inspections."""
    found: dict[str, list[TrendPoint]] = {}
    for point in sorted(trend, key=lambda point: point.start_utc):
        if point.n and point.score_mean is not None:
            found.setdefault(name_of(point), []).append(point)
    return found


def counts(roi: RoiSummary, language: Language) -> list[str]:
    """A row of a table with the columns `COUNTS`."""
    share = formats.percent(roi.n_ng / roi.n if roi.n else None, language)
    scores = [formats.number(score, language) for score in (roi.score_mean, roi.score_p95)]
    return [name_of(roi), str(roi.n), str(roi.n_ok), str(roi.n_ng), share, *scores]


def parts(words: Words, frames: FramesSummary) -> str:
    """The counts of whole parts as a sentence."""
    share = formats.percent(frames.n_ng / frames.n if frames.n else None, words.language)
    return words("report.parts", n=frames.n, ok=frames.n_ok, ng=frames.n_ng, error=frames.n_error, share=share)
