"""Explanations by the nearest good patches, and re-runs with another version."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from service.contract.inspections import RegionAnswer
from service.contract.samples import InspectionId, InspectionIds
from service.contract.words import Answer, OfRoi, RoiNames, Verdict, Version

MAX_RERUN = 10_000


class ExplainRequest(BaseModel):
    inspection_id: InspectionId
    region: Annotated[int, Field(ge=0, le=100_000, description="Index in the inspection's regions")] = 0
    k: Annotated[int, Field(ge=1, le=20)] = 5


class Spot(BaseModel):
    """A patch, in pixels of its picture."""

    x: float
    y: float
    w: float
    h: float


class Neighbour(Spot):
    """A good patch. Where its picture is not among the OK samples (any more), its place is unknown: all 0."""

    distance: float
    filename: str | None
    in_dataset: bool
    held_out_score: float | None


class ExplainAnswer(Answer, OfRoi):
    inspection_id: str
    model_version: int
    region: RegionAnswer
    patch: Spot
    distance: float
    neighbours: list[Neighbour]


class RerunRequest(RoiNames):
    model_version: Version
    inspection_ids: Annotated[InspectionIds | None, Field(description="Exactly these; left out: the filters")] = None
    since: datetime | None = None
    before: datetime | None = None
    verdict: Verdict | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_RERUN, description="The newest of them")] = 1_000


class RerunChange(BaseModel):
    inspection_id: str
    old_verdict: Verdict | None
    new_verdict: Verdict
    old_score: float
    new_score: float
    new_threshold: float


class RerunResult(BaseModel):
    """What the job gives. `n` were judged again; `without_picture` could not be."""

    model_version: int
    n: int
    n_changed: int
    changed: list[RerunChange]
    without_picture: int
