"""The ROIs of one frame: cut out, judged each by its model, told and recorded."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from service.backend import Device
from service.contract.frames import FrameRegion, FrameRoi, Points
from service.contract.inspections import RegionAnswer
from service.contract.layouts import Affine, Alignment
from service.contract.words import Verdict
from service.errors import Problem
from service.inspection.answers import heatmap_png, params, regions
from service.inspection.examine import Examined, Prepared, conclude, prepare, refuse_uncalibrated, serving_model
from service.loaded.layouts import LoadedLayout
from service.stopwatch import Stopwatch
from service.store.records.frames import FrameRecord
from service.store.records.inspections import Record, new_inspection_id
from service.vision.roi_picture import RoiPicture, roi_pictures, transformed


@dataclass(frozen=True, eq=False)
class CutRoi:
    """An ROI's picture, and what the device is asked about it by the model that judges it."""

    inspection_id: str
    picture: RoiPicture
    prepared: Prepared


@dataclass(frozen=True, eq=False)
class JudgedRoi:
    """`heatmap`: PNG, None when none was asked for."""

    roi: CutRoi
    examined: Examined
    heatmap: bytes | None = None

    @property
    def threshold(self) -> float:
        assert self.examined.threshold is not None  # nothing uncalibrated is cut
        return self.examined.threshold

    @property
    def verdict(self) -> Verdict:
        assert self.examined.judged is not None
        return self.examined.judged.verdict


def cut_rois(device: Device, loaded: LoadedLayout, frame_rgb: np.ndarray, alignment: Alignment | None) -> list[CutRoi]:
    """Every ROI of a layout, from a frame uint8 (h, w, 3).

    Raises RoiOutsideFrame, MemoryNotFitted, ModelDamaged, ScaleMismatch, NotCalibrated: each names the ROI.
    """
    matrix = np.array(alignment.matrix) if alignment else None
    now = datetime.now(UTC)
    return [
        _cut(device, loaded, picture, new_inspection_id(now))
        for picture in roi_pictures(loaded.layout.rois, frame_rgb, matrix)
    ]


def judge_rois(rois: Sequence[CutRoi], distances: Sequence[np.ndarray], watch: Stopwatch) -> list[JudgedRoi]:
    """`distances` float32 (gh, gw) of each ROI. Raises EngineFailed, which names the ROI."""
    judged = []
    for roi, found in zip(rois, distances, strict=True):
        with _about(roi.picture.roi_id):
            judged.append(JudgedRoi(roi, conclude(roi.prepared, found, watch)))
    return judged


def draw(one: JudgedRoi) -> bytes:
    """Heat map of an ROI in its picture, as PNG."""
    return heatmap_png(one.roi.prepared.model, one.examined)


def roi_answer(one: JudgedRoi) -> FrameRoi:
    picture = one.roi.picture
    return FrameRoi(
        roi_id=picture.roi_id,
        verdict=one.verdict,
        provisional=one.roi.prepared.model.provisional,
        score=one.examined.score,
        threshold=one.threshold,
        model_version=one.roi.prepared.model.version,
        inspection_id=one.roi.inspection_id,
        shape=picture.shape.model_dump(),
        to_frame=_rows(picture.to_frame),
        outline=picture.outline,
        inner_outline=picture.inner_outline,
        regions=[_region(region, picture.to_frame) for region in regions(one.examined)],
        heatmap_png_base64=base64.b64encode(one.heatmap).decode() if one.heatmap else None,
    )


def roi_record(frame: FrameRecord, one: JudgedRoi, mm_per_px: float) -> Record:
    """As of any inspection. Its picture is the frame's, from which `params.to_frame` cuts the ROI again."""
    roi, model = one.roi, one.roi.prepared.model
    asked = params(model, one.examined.view)
    asked.to_frame = _rows(roi.picture.to_frame)
    return Record(
        inspection_id=roi.inspection_id,
        time_utc=frame.time_utc,
        role_id=frame.role_id,
        roi_id=roi.picture.roi_id,
        part_id=frame.part_id,
        verdict=one.verdict,
        score=one.examined.score,
        threshold=one.threshold,
        model_version=model.version,
        mm_per_px=mm_per_px,
        request_id=frame.request_id,
        key_name=frame.key_name,
        station=frame.station,
        image_sha256=frame.image_sha256,
        image_name=frame.image_name,
        regions=[region.model_dump() for region in regions(one.examined)],
        params=asked.model_dump(),
        timings_ms=frame.timings_ms,
        frame_id=frame.frame_id,
    )


def _cut(device: Device, loaded: LoadedLayout, picture: RoiPicture, inspection_id: str) -> CutRoi:
    role_id = loaded.layout.role_id
    with _about(picture.roi_id):
        model = serving_model(device, role_id, picture.roi_id, loaded.mm_per_px)
        refuse_uncalibrated(model, role_id, picture.roi_id)
        return CutRoi(inspection_id, picture, prepare(model, picture.image_rgb, picture.shape))


def _region(region: RegionAnswer, to_frame: np.ndarray) -> FrameRegion:
    points = transformed(np.array(region.contour, np.float64), to_frame)
    x, y = (points.min(0) + points.max(0)) / 2
    contour: Points = [(float(px), float(py)) for px, py in points]
    return FrameRegion(**region.model_dump(), contour_frame=contour, centre_frame=(float(x), float(y)))


def _rows(matrix: np.ndarray) -> Affine:
    (a, b, tx), (c, d, ty) = matrix.tolist()
    return (a, b, tx), (c, d, ty)


@contextmanager
def _about(roi_id: str) -> Iterator[None]:
    """Puts the ROI's name in front of a problem's sentence."""
    try:
        yield
    except Problem as problem:
        problem.detail = f"ROI {roi_id!r}: {problem.detail}"
        raise
