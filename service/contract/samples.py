"""Samples an ROI has, and how they are scored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from service.contract.words import Answer, Label, MmPerPx, OfRoi, RoiNames, Verdict, Version


class UploadAnswer(Answer):
    saved: int
    files: list[str]
    count: int


class LabelSummary(BaseModel):
    count: int
    files: list[str]


class DatasetAnswer(Answer, OfRoi):
    mm_per_px: float | None
    classes: dict[Label, LabelSummary]


class DeletedAnswer(Answer):
    deleted: int


class DatasetRequest(RoiNames):
    mm_per_px: MmPerPx | None = None
    model_version: Version | None = None


class SampleScore(BaseModel):
    filename: str
    label: Label
    score: float
    verdict: Verdict | None


class InferDatasetAnswer(Answer, OfRoi):
    model_version: int
    threshold: float | None
    results: list[SampleScore]


class GoldenRequest(RoiNames):
    label: Label
    filename: Annotated[str, Field(max_length=128)]
    expected: Annotated[Verdict | None, Field(description="Verdict every model must give it; null: not golden")]


class GoldenSample(OfRoi):
    label: Label
    filename: str
    expected: Verdict


class GoldenAnswer(Answer):
    golden: list[GoldenSample]


MAX_IDS = 1_000
FileName = Annotated[str, Field(max_length=128)]
InspectionId = Annotated[str, Field(max_length=64)]
InspectionIds = Annotated[list[InspectionId], Field(min_length=1, max_length=MAX_IDS)]


class SampleAbout(BaseModel):
    """`shape` in pixels of the sample, null: all of it. `golden`: the verdict every model must give it.

    `part_id`: of the part that it shows, null when nobody said."""

    filename: str
    label: Label
    width: int
    height: int
    mm_per_px: float
    shape: dict[str, Any] | None
    created: str
    source_name: str
    golden: Verdict | None
    part_id: str | None = None


class SamplesListAnswer(Answer):
    samples: list[SampleAbout]


class MoveRequest(RoiNames):
    filename: FileName
    label: Annotated[Label, Field(description="Where it is")]
    to: Annotated[Label, Field(description="Where it belongs")]


class MovedAnswer(Answer):
    filename: str


class FromInspectionsRequest(RoiNames):
    inspection_ids: InspectionIds
