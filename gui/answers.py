"""What History reads of the answers about summaries and re-runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.contract import Answer, Verdict


class _Part(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class Drift(_Part):
    """`ratio`: mean score of good parts in the period against the calibration's."""

    ratio: float | None
    warning: bool


class RoiSummary(_Part):
    role_id: str
    roi_id: str
    n: int
    n_ok: int
    n_ng: int
    score_mean: float | None
    score_p95: float | None
    threshold: float | None
    calibrated_ok_mean: float | None
    drift: Drift | None


class TrendPoint(_Part):
    start_utc: str
    role_id: str
    roi_id: str
    n: int
    n_ng: int
    score_mean: float | None
    score_max: float | None


class InspectionsSummary(Answer):
    rois: list[RoiSummary]
    trend: list[TrendPoint]


class Changed(_Part):
    inspection_id: str
    old_verdict: Verdict | None
    new_verdict: Verdict | None
    old_score: float
    new_score: float
    new_threshold: float | None


class Rerun(_Part):
    """`without_picture`: how many could not be judged anew."""

    n: int
    n_changed: int
    changed: list[Changed]
    without_picture: int
