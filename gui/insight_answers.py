"""What Teach and Why read of the service's answers: only the fields they use, so that more of them does no harm."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from service.contract import Label, RegionAnswer, Verdict


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), frozen=True)


class SampleAbout(_Answer):
    """One stored sample; `shape` in contract form, in pixels of the sample."""

    filename: str
    label: Label
    width: int
    height: int
    shape: dict[str, Any] | None
    created: str
    source_name: str
    golden: Verdict | None


class SamplesListAnswer(_Answer):
    samples: list[SampleAbout]


class MovedAnswer(_Answer):
    filename: str


class ScoreOfSample(_Answer):
    """`filename` is null for a picture that is no stored sample."""

    filename: str | None
    score: float


class ModelScoresAnswer(_Answer):
    """Scores of pictures the version has not learned from."""

    role_id: str
    roi_id: str
    model_version: int
    area_mm2_thr: float
    threshold: float | None
    score_percentile: float
    ok: list[ScoreOfSample]
    ng: list[ScoreOfSample]


class Spot(_Answer):
    """A patch, in pixels of its ROI picture."""

    x: float
    y: float
    w: float
    h: float


class Neighbour(Spot):
    distance: float
    filename: str | None
    in_dataset: bool
    held_out_score: float | None


class ExplainAnswer(_Answer):
    region: RegionAnswer
    patch: Spot
    distance: float
    neighbours: list[Neighbour]


class QuestionableSample(_Answer):
    filename: str
    held_out_score: float | None
    reason: str


class QuestionableAnswer(_Answer):
    samples: list[QuestionableSample]


class ChangedInspection(_Answer):
    inspection_id: str
    old_verdict: Verdict | None
    new_verdict: Verdict
    old_score: float
    new_score: float


class RerunResult(_Answer):
    model_version: int
    n: int
    n_changed: int
    changed: list[ChangedInspection]
    without_picture: int
