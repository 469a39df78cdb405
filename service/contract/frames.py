"""Whole frames: one picture of a part in, every ROI of its layout judged, one verdict out; and their record.

"Frame" pixels are those of the picture that was sent, upright; (0, 0) is the centre of the first.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from service.contract.inspections import InspectionSummary, RegionAnswer
from service.contract.layouts import Affine, Alignment
from service.contract.words import Answer, Verdict

FrameVerdict = Literal["OK", "NG", "ERROR"]
Points = list[tuple[float, float]]


class FrameRegion(RegionAnswer):
    """As in `/infer`, in pixels of the ROI's picture; `contour_frame` and `centre_frame` in pixels of the frame."""

    contour_frame: Points
    centre_frame: tuple[float, float]


class FrameRoi(BaseModel):
    """`to_frame` takes pixels of the ROI's picture to pixels of the frame; outlines are polygons in the frame."""

    roi_id: str
    verdict: Verdict
    provisional: bool = False
    score: float
    threshold: float
    model_version: int
    inspection_id: str
    shape: dict[str, Any]
    to_frame: Affine
    outline: Points
    inner_outline: Points | None
    regions: list[FrameRegion]
    heatmap_png_base64: str | None


class InspectAnswer(Answer):
    """`verdict`: NG when one ROI is. `alignment`: null when the layout has no marks. `provisional`: one ROI's is."""

    frame_id: str
    time_utc: str
    role_id: str
    part_id: str | None
    verdict: Verdict
    provisional: bool = False
    layout_revision: int
    mm_per_px: float
    width: int
    height: int
    alignment: Alignment | None
    rois: list[FrameRoi]
    timings_ms: dict[str, float]


class FrameSummary(BaseModel):
    """`verdict` is null where the part could not be judged: `problem_code` and `problem_detail` say why.

    `provisional`: the verdict of one of its ROIs is.
    """

    frame_id: str
    time_utc: str
    role_id: str
    part_id: str | None
    verdict: Verdict | None
    problem_code: str | None
    problem_detail: str | None
    layout_revision: int | None
    n_rois: int
    n_ng: int
    provisional: bool = False


class FramesAnswer(Answer):
    total: int
    limit: int
    offset: int
    frames: list[FrameSummary]


class FrameAnswer(Answer, FrameSummary):
    """`image_sha256`: of the picture as it was received."""

    alignment: Alignment | None
    frame_request_id: str
    key_name: str | None
    station: str | None
    image_sha256: str
    image_name: str | None
    width: int | None
    height: int | None
    timings_ms: dict[str, float]
    rois: list[InspectionSummary]


class FramesOfRoi(BaseModel):
    roi_id: str
    n: int
    n_ng: int


class FramesOfHour(BaseModel):
    start_utc: str
    n: int
    n_ng: int
    n_error: int


class FramesSummary(Answer):
    """`by_roi`: the ROI with most NG first. `by_hour`: only hours with parts, oldest first."""

    n: int
    n_ok: int
    n_ng: int
    n_error: int
    by_roi: list[FramesOfRoi]
    by_hour: list[FramesOfHour]
