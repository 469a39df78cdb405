"""Versions of a model: fit, calibration, which one serves."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from service.contract.samples import DatasetRequest
from service.contract.words import (
    MAX_SCORES,
    Answer,
    Area,
    Label,
    MmPerPx,
    OfRoi,
    Percentile,
    RoiNames,
    Score,
    Threshold,
    Value,
    Version,
)

# Of good parts, the share in % that the threshold lets pass unless somebody says otherwise.
DEFAULT_PERCENTILE = 95.0


class FitAnswer(Answer):
    """`n_parts`: different parts among the pictures, by their part ids or by how much they look alike."""

    n_images: int
    n_parts: int
    n_embeddings: int
    coreset_size: int
    token_shape: tuple[int, int]
    coreset_rate_requested: float
    coreset_rate_applied: float
    model_version: int
    active: bool
    ok_scores: list[float]
    duration_s: float
    stages_s: dict[str, float]


class CalibrationRequest(RoiNames):
    mm_per_px: MmPerPx
    ok_scores: Annotated[list[Score], Field(max_length=MAX_SCORES)] | None = None
    ng_scores: Annotated[list[Score], Field(max_length=MAX_SCORES)] | None = None
    ok_parts: Annotated[list[int], Field(max_length=MAX_SCORES, description="Part of each of ok_scores")] | None = None
    ng_parts: Annotated[list[int], Field(max_length=MAX_SCORES, description="Part of each of ng_scores")] | None = None
    area_mm2_thr: Area | None = None
    score_percentile: Percentile | None = None
    model_version: Version | None = None
    threshold: Annotated[Threshold | None, Field(description="One's own; left out: the one that follows")] = None
    preview: Annotated[bool, Field(description="Only what it would be: nothing is stored")] = False


class CalibrationResult(BaseModel):
    """A threshold and what is known about it. `warnings` are plain sentences: what these samples cannot prove.

    `provisional`: there are fewer good parts than the promise needs. Rates are cross-fitted shares, measured on parts
    that did not set the threshold they are counted against, with 95 % intervals that go by parts; null: not measured.
    `n_ok_rejected` and `n_ng_missed` count these very pictures at this threshold, which proves nothing about others.
    """

    model_config = ConfigDict(frozen=True)
    threshold: float
    ok_mean: float
    ng_mean: float | None
    p99_ok: float
    p5_ng: float | None
    score_percentile: float = DEFAULT_PERCENTILE
    method: str
    n_ok: int
    n_ng: int
    n_ok_parts: int | None = None
    n_ng_parts: int | None = None
    n_ok_rejected: int | None = None
    n_ng_missed: int | None = None
    provisional: bool = False
    false_reject_rate: float | None
    false_reject_ci95: tuple[float, float] | None
    miss_rate: float | None
    miss_ci95: tuple[float, float] | None
    overlap: bool | None
    warnings: tuple[str, ...]


class _OfVersion(CalibrationResult):
    mm_per_px: float
    area_mm2_thr: float
    model_version: int


class Accepted(Value):
    """Somebody answers for a provisional threshold with a name."""

    by: str
    station: str
    utc: str
    why: str


class Calibration(_OfVersion):
    """Of one model version, as it is stored: with the scores it was computed from."""

    ok_scores: tuple[float, ...]
    ng_scores: tuple[float, ...]
    created_utc: str
    accepted: Accepted | None = None

    @property
    def verdicts_are_provisional(self) -> bool:
        return self.provisional and self.accepted is None


class AcceptRequest(RoiNames):
    model_config = ConfigDict(protected_namespaces=())
    why: Annotated[str, Field(min_length=1, max_length=500)]
    model_version: Version | None = None


class AcceptAnswer(Answer, OfRoi):
    model_config = ConfigDict(protected_namespaces=())
    model_version: int
    accepted: Accepted


class CalibrationAnswer(Answer, _OfVersion):
    pass


class CalibrateDatasetRequest(DatasetRequest):
    area_mm2_thr: Area | None = None
    score_percentile: Percentile | None = None


class StateAnswer(Answer, OfRoi):
    memory_fitted: bool
    calib_present: bool
    model_version: int | None
    serving_version: int | None
    problem: str | None
    mm_per_px: float | None
    versions: list[int]
    dataset: dict[Label, int]


class ManifestAnswer(StateAnswer):
    model: dict[str, Any] | None
    calibration: Calibration | None


class ModelSummary(OfRoi):
    """`provisional`: its verdicts are. `old_calibration`: its threshold does not hold whole parts out and promises too
    much; teach anew."""

    model_config = ConfigDict(protected_namespaces=())
    model_version: int
    current: bool
    activated: bool
    calibrated: bool
    provisional: bool = False
    old_calibration: bool = False
    created_utc: str | None
    backbone: str | None
    coreset_size: int | None
    threshold: float | None
    damaged: str | None


class ModelsAnswer(Answer):
    models: list[ModelSummary]


class ActivateRequest(RoiNames):
    model_config = ConfigDict(protected_namespaces=())
    model_version: Version


class RollbackRequest(RoiNames):
    pass


class ActivatedAnswer(Answer, OfRoi):
    model_version: int
    calibrated: bool


class OkScore(BaseModel):
    """`filename`: null when the picture is not among the OK samples (any more). `part`: number of what it shows."""

    filename: str | None
    score: float
    part: int


class NgScore(BaseModel):
    filename: str
    score: float
    part: int


class ModelScoresAnswer(Answer, OfRoi):
    """`ok`: of pictures it was taught with, out of sample. `ng`: of the NG samples there are now."""

    model_version: int
    area_mm2_thr: float
    threshold: float | None
    score_percentile: float
    uncalibrated_scale: float
    ok: list[OkScore]
    ng: list[NgScore]


class QuestionableSample(BaseModel):
    filename: str
    held_out_score: float | None
    reason: str


class QuestionableAnswer(Answer, OfRoi):
    model_version: int
    samples: list[QuestionableSample]
