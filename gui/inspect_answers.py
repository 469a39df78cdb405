"""What the Inspect screen reads of the answer to a whole picture."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.contract import Answer, RegionAnswer, Verdict
from service.contract_layouts import Affine, Alignment

Points = list[tuple[float, float]]


class FrameRegion(RegionAnswer):
    """`contour_frame` and `centre_frame` in pixels of the picture."""

    contour_frame: Points
    centre_frame: tuple[float, float]


class FrameRoi(BaseModel):
    """`to_frame` takes pixels of the ROI's picture to pixels of the whole one."""

    model_config = ConfigDict(protected_namespaces=())
    roi_id: str
    verdict: Verdict
    score: float
    threshold: float
    model_version: str
    inspection_id: str
    to_frame: Affine
    outline: Points
    inner_outline: Points | None = None
    regions: list[FrameRegion]
    heatmap_png_base64: str | None = None


class InspectAnswer(Answer):
    frame_id: str
    time_utc: str
    role_id: str
    part_id: str | None = None
    verdict: Verdict
    mm_per_px: float
    width: int
    height: int
    alignment: Alignment | None = None
    rois: list[FrameRoi]
    timings_ms: dict[str, float]
