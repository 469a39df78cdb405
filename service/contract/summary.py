"""The words of how a period went: counts and scores by ROI, drift against the calibration, trend."""

from __future__ import annotations

from pydantic import BaseModel

from service.contract.words import Answer


class Drift(BaseModel):
    """`ratio`: mean score of the good parts of the period, by the version that serves, to that of the calibration's."""

    ratio: float
    warning: bool


class RoiSummary(BaseModel):
    """`threshold`: of the latest inspection. `drift`: null without calibration, or with too few good parts to tell."""

    role_id: str
    roi_id: str
    n: int
    n_ok: int
    n_ng: int
    score_mean: float
    score_p95: float
    threshold: float | None
    calibrated_ok_mean: float | None
    drift: Drift | None


class TrendPoint(BaseModel):
    start_utc: str
    role_id: str
    roi_id: str
    n: int
    n_ng: int
    score_mean: float
    score_max: float


class InspectionsSummary(Answer):
    """`trend`: equal parts of the period; those with inspections, oldest first."""

    rois: list[RoiSummary]
    trend: list[TrendPoint]
