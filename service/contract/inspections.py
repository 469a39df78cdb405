"""One part judged, and the records of parts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from service.contract.words import Answer, OfRoi, Value, Verdict


class RegionAnswer(BaseModel):
    bbox: tuple[int, int, int, int]
    x: int
    y: int
    w: int
    h: int
    area_px: float
    area_mm2: float
    score: float
    contour: list[list[int]]


class Params(BaseModel):
    extractor: str
    input_size: int
    coreset_rate: float
    score_percentile: float
    area_mm2_thr: float
    mm_per_px: float
    shape: dict[str, Any] | None = None
    to_frame: Annotated[
        tuple[tuple[float, float, float], tuple[float, float, float]] | None,
        Field(description="Of an ROI of a whole frame: takes pixels of its picture to pixels of the frame"),
    ] = None
    provisional: Annotated[bool, Field(description="The threshold had too few good parts behind it")] = False


class InferAnswer(Answer, OfRoi):
    """`provisional`: the threshold has fewer good parts behind it than its promise needs, and nobody answers for it."""

    score: float
    threshold: float | None
    verdict: Verdict | None
    provisional: bool = False
    token_shape: tuple[int, int]
    heatmap_png_base64: str | None
    regions: list[RegionAnswer]
    params: Params
    model_version: int
    inspection_id: str
    part_id: str | None
    timings_ms: dict[str, float]


class ScoresAnswer(Answer):
    scores: list[float]
    model_version: int
    area_mm2_thr: float


class InspectionSummary(OfRoi):
    inspection_id: str
    time_utc: str
    part_id: str | None
    verdict: Verdict | None
    score: float
    threshold: float | None
    model_version: int
    n_regions: int
    frame_id: str | None = None
    provisional: bool = False


class InspectionsAnswer(Answer):
    total: int
    limit: int
    offset: int
    inspections: list[InspectionSummary]


class InspectionAnswer(Answer, InspectionSummary):
    mm_per_px: float
    inspection_request_id: str
    key_name: str | None
    station: str | None
    image_sha256: str
    image_name: str | None
    regions: list[RegionAnswer]
    params: Params
    timings_ms: dict[str, float]


class Drift(Value):
    """`ratio`: mean score of the period's good parts, divided by the mean at the calibration in force."""

    ratio: float
    warning: bool


class RoiCounts(Value, OfRoi):
    """`threshold`: of the latest inspection."""

    n: int
    n_ok: int
    n_ng: int
    score_mean: float
    score_p95: float
    threshold: float | None


class RoiSummary(RoiCounts):
    """`drift`: null without calibration, or with too few good parts to tell."""

    calibrated_ok_mean: float | None
    drift: Drift | None


class TrendPoint(Value, OfRoi):
    start_utc: str
    n: int
    n_ng: int
    score_mean: float
    score_max: float


class InspectionsSummary(Answer):
    """`trend`: equal parts of the period; those with inspections, oldest first."""

    rois: list[RoiSummary]
    trend: list[TrendPoint]
