"""The ROIs of one frame: cut, laid out for their models, judged, and what is said and recorded of each."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from service.backend import Backend, Look
from service.contract.frames import FrameRegion, FrameRoi, Points
from service.contract.layouts import Affine, Alignment
from service.errors import NotCalibrated, Problem
from service.inspection.infer import area_in_force, heatmap_png, params_in_force, region_answer, serving_model
from service.loaded.layouts import LoadedLayout
from service.loaded.models import LoadedModel
from service.store.records.frames import FrameRecord
from service.store.records.inspections import Record, new_inspection_id
from service.vision.network_view import NetworkView, network_view
from service.vision.roi_picture import RoiPicture, roi_pictures, transformed
from service.vision.verdict import Judged, Measured, judge, measure


@dataclass(frozen=True, eq=False)
class CutRoi:
    """A ROI picture, the calibrated model that judges it, and what the device has to look at."""

    inspection_id: str
    picture: RoiPicture
    model: LoadedModel
    threshold: float
    view: NetworkView
    look: Look


@dataclass(frozen=True, eq=False)
class JudgedRoi:
    """`heatmap`: PNG, None when none was asked for."""

    roi: CutRoi
    measured: Measured
    judged: Judged
    heatmap: bytes | None = None


def cut_rois(
    backend: Backend, loaded: LoadedLayout, frame_rgb: np.ndarray, alignment: Alignment | None
) -> list[CutRoi]:
    """All of a layout's, from a frame uint8 (h, w, 3).

    Raises RoiOutsideFrame, MemoryNotFitted, ModelDamaged, ScaleMismatch, NotCalibrated: each names the ROI.
    """
    matrix = np.array(alignment.matrix) if alignment else None
    now = datetime.now(UTC)
    return [
        _cut(backend, loaded, picture, new_inspection_id(now))
        for picture in roi_pictures(loaded.layout.rois, frame_rgb, matrix)
    ]


def judge_rois(rois: Sequence[CutRoi], distances: Sequence[np.ndarray], mm_per_px: float) -> list[JudgedRoi]:
    """`distances` float32 (gh, gw) of each ROI. Raises EngineFailed, which names the ROI."""
    return [_judge(roi, found, mm_per_px) for roi, found in zip(rois, distances, strict=True)]


def draw(one: JudgedRoi) -> bytes:
    """Heat map of a ROI in its picture, as PNG."""
    return heatmap_png(one.roi.model, one.measured, one.roi.view, one.roi.threshold)


def roi_answer(one: JudgedRoi) -> FrameRoi:
    picture, judged = one.roi.picture, one.judged
    return FrameRoi(
        roi_id=picture.roi_id,
        verdict=judged.verdict,
        score=one.measured.score,
        threshold=one.roi.threshold,
        model_version=one.roi.model.version,
        inspection_id=one.roi.inspection_id,
        shape=picture.shape.model_dump(),
        to_frame=_rows(picture.to_frame),
        outline=picture.outline,
        inner_outline=picture.inner_outline,
        regions=[_region(region_answer(region).model_dump(), picture.to_frame) for region in judged.regions],
        heatmap_png_base64=base64.b64encode(one.heatmap).decode() if one.heatmap else None,
    )


def roi_record(frame: FrameRecord, one: JudgedRoi, mm_per_px: float) -> Record:
    """As of any inspection. Its picture is the frame's, from which `params.to_frame` cuts the ROI again."""
    roi = one.roi
    params = params_in_force(roi.model, roi.view)
    params.to_frame = _rows(roi.picture.to_frame)
    return Record(
        inspection_id=roi.inspection_id,
        time_utc=frame.time_utc,
        role_id=frame.role_id,
        roi_id=roi.picture.roi_id,
        part_id=frame.part_id,
        verdict=one.judged.verdict,
        score=one.measured.score,
        threshold=roi.threshold,
        model_version=roi.model.version,
        mm_per_px=mm_per_px,
        request_id=frame.request_id,
        key_name=frame.key_name,
        station=frame.station,
        image_sha256=frame.image_sha256,
        image_name=frame.image_name,
        regions=[region_answer(region).model_dump() for region in one.judged.regions],
        params=params.model_dump(),
        timings_ms=frame.timings_ms,
        frame_id=frame.frame_id,
    )


def _cut(backend: Backend, loaded: LoadedLayout, picture: RoiPicture, inspection_id: str) -> CutRoi:
    role_id = loaded.layout.role_id
    with _about(picture.roi_id):
        model = serving_model(backend, role_id, picture.roi_id, loaded.mm_per_px)
        if model.calibration is None:
            raise NotCalibrated(
                f"Version {model.version} of {role_id}/{picture.roi_id} is not calibrated: run POST /calibrate_ng."
            )
        recipe = model.description.recipe
        height, width = picture.image_rgb.shape[:2]
        view = network_view(picture.shape, height, width, recipe.input_size, recipe.stride)
    look = Look(recipe, view.picture(picture.image_rgb), view.patches, model.placed)
    return CutRoi(inspection_id, picture, model, model.calibration["threshold"], view, look)


def _judge(roi: CutRoi, distances: np.ndarray, mm_per_px: float) -> JudgedRoi:
    with _about(roi.picture.roi_id):
        measured = measure(distances, roi.view, mm_per_px, area_in_force(roi.model))
    return JudgedRoi(roi, measured, judge(measured, roi.view, mm_per_px, roi.threshold))


def _region(region: dict[str, object], to_frame: np.ndarray) -> FrameRegion:
    points = transformed(np.array(region["contour"], np.float64), to_frame)
    x, y = (points.min(0) + points.max(0)) / 2
    contour: Points = [(float(px), float(py)) for px, py in points]
    return FrameRegion.model_validate({**region, "contour_frame": contour, "centre_frame": (float(x), float(y))})


def _rows(matrix: np.ndarray) -> Affine:
    (a, b, tx), (c, d, ty) = matrix.tolist()
    return (a, b, tx), (c, d, ty)


@contextmanager
def _about(roi_id: str) -> Iterator[None]:
    """The ROI's name before what is wrong with it."""
    try:
        yield
    except Problem as problem:
        problem.detail = f"ROI {roi_id!r}: {problem.detail}"
        raise
