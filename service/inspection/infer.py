"""Inspect a part: decode, frame, embed, compare, judge, record. The verdict leaves after its record is committed."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from service import caller
from service.backend import Backend
from service.calibration.threshold import DEFAULT_PERCENTILE
from service.contract.inspections import InferAnswer, Params, RegionAnswer, ScoresAnswer
from service.contract.shapes import Shape
from service.contract.words import Verdict
from service.errors import InvalidShape, NotCalibrated
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.stopwatch import Stopwatch
from service.store.files import sha256
from service.store.records.inspections import Record, new_inspection_id
from service.store.samples import refuse_other_scale
from service.vision.anomaly_map import Region, heatmap
from service.vision.images import decode, encode_png
from service.vision.network_view import NetworkView, network_view
from service.vision.verdict import DEFAULT_AREA_MM2, Judged, Measured, judge, measure


@dataclass(frozen=True)
class Inspection:
    """What /infer is asked, beside the picture."""

    role_id: str
    roi_id: str
    mm_per_px: float
    shape: Shape | None = None
    part_id: str | None = None
    heatmap: bool = True
    allow_uncalibrated: bool = False
    image_name: str | None = None


def inspect(backend: Backend, asked: Inspection, image: bytes) -> InferAnswer:
    """Verdict of one part. Raises MemoryNotFitted, ScaleMismatch, NotCalibrated, what `decode` and the device do."""
    started, watch = time.perf_counter(), Stopwatch()
    model = serving_model(backend, asked.role_id, asked.roi_id, asked.mm_per_px)
    _refuse_uncalibrated(backend, asked, model)
    view, measured = look(backend, model, image, asked.shape, asked.image_name or "image", watch)
    with watch("judge"):
        threshold = model.calibration["threshold"] if model.calibration else None
        judged = judge(measured, view, asked.mm_per_px, threshold) if threshold is not None else None
    answer = _answer(asked, model, view, measured, judged, threshold, watch)
    written = backend.records.hand_in(_record(answer, asked, image))
    with watch("draw"):  # while the record is on its way to the disk
        png = heatmap_png(model, measured, view, threshold) if asked.heatmap else None
        answer.heatmap_png_base64 = base64.b64encode(png).decode() if png else None
    with watch("record"):
        backend.records.wait_for(written)
    answer.timings_ms = watch.ms | {"total": round((time.perf_counter() - started) * 1e3, 3)}
    if backend.keeps_picture(answer.verdict):
        backend.archive.keep(answer.inspection_id, image, png)
    backend.metrics.inspected(asked.role_id, asked.roi_id, answer.verdict, answer.timings_ms)
    return answer


def scores(
    backend: Backend, role_id: str, roi_id: str, mm_per_px: float, shape: Shape | None, images: list[tuple[str, bytes]]
) -> ScoresAnswer:
    """Scores without verdict or record, for calibration."""
    model = serving_model(backend, role_id, roi_id, mm_per_px)
    found = [look(backend, model, data, shape, name, Stopwatch())[1].score for name, data in images]
    return ScoresAnswer(scores=found, model_version=model.version, area_mm2_thr=area_in_force(model))


def serving_model(backend: Backend, role_id: str, roi_id: str, mm_per_px: float) -> LoadedModel:
    model = backend.cache.get(role_id, roi_id)
    refuse_other_scale(model.description.mm_per_px, mm_per_px, "the model of this ROI was taught with")
    return model


def look(
    backend: Backend, model: LoadedModel, image: bytes, shape: Shape | None, name: str, watch: Stopwatch,
    area_mm2: float | None = None,
) -> tuple[NetworkView, Measured]:  # fmt: skip
    """Decode one picture and measure it against a model."""
    with watch("decode"):
        image_rgb = decode(image, max_mpx=backend.settings.max_image_mpx, name=name)
    with watch("frame"):
        view = _view(model, image_rgb, shape)
        picture = view.picture(image_rgb)
    distances = backend.distances(model, picture, view.patches, watch)
    with watch("map"):
        area = area_in_force(model) if area_mm2 is None else area_mm2
        return view, measure(distances, view, model.description.mm_per_px, area)


def area_in_force(model: ModelVersion) -> float:
    """Area in mm² that scores of this model are measured with."""
    return float(model.calibration["area_mm2_thr"]) if model.calibration else DEFAULT_AREA_MM2


def _view(model: LoadedModel, image_rgb: np.ndarray, shape: Shape | None) -> NetworkView:
    """Without a shape, the one the model was taught with holds, for pictures of the size it was taught with."""
    height, width = image_rgb.shape[:2]
    taught = model.description.pictures[0]
    if shape is None and any(picture.shape != taught.shape for picture in model.description.pictures):
        raise InvalidShape("shape: this ROI was taught with several shapes: send the one of this picture.")
    if shape is None and taught.shape is not None:
        if (taught.width, taught.height) != (width, height):
            raise InvalidShape(
                f"shape: this ROI was taught with a {taught.shape.kind} in {taught.width}x{taught.height} pictures, "
                f"this one has {width}x{height}: send the shape."
            )
        shape = taught.shape
    recipe = model.description.recipe
    return network_view(shape, height, width, recipe.input_size, recipe.stride)


def _refuse_uncalibrated(backend: Backend, asked: Inspection, model: LoadedModel) -> None:
    allowed = asked.allow_uncalibrated or not backend.settings.require_calibration
    if model.calibration is None and not allowed:
        raise NotCalibrated(
            f"Version {model.version} of {asked.role_id}/{asked.roi_id} is not calibrated: run POST /calibrate_ng "
            "(or send allow_uncalibrated=true for a score without a verdict)."
        )


def heatmap_png(model: ModelVersion, measured: Measured, view: NetworkView, threshold: float | None) -> bytes:
    about = model.description
    return encode_png(heatmap(measured.map, threshold or about.uncalibrated_scale, view.place, calm=about.calm_level))


def _answer(
    asked: Inspection, model: LoadedModel, view: NetworkView, measured: Measured, judged: Judged | None,
    threshold: float | None, watch: Stopwatch,
) -> InferAnswer:  # fmt: skip
    now = datetime.now(UTC)
    verdict: Verdict | None = judged.verdict if judged else None
    return InferAnswer(
        role_id=asked.role_id,
        roi_id=asked.roi_id,
        score=measured.score,
        threshold=threshold,
        verdict=verdict,
        token_shape=view.grid,
        heatmap_png_base64=None,
        regions=[region_answer(region) for region in judged.regions] if judged else [],
        params=params_in_force(model, view),
        model_version=model.version,
        inspection_id=new_inspection_id(now),
        part_id=asked.part_id,
        timings_ms=watch.ms,
        request_id=caller.request_id.get(),
    )


def params_in_force(model: ModelVersion, view: NetworkView) -> Params:
    """What judged, and the shape it judged: enough to look again."""
    about, calibration = model.description, model.calibration or {}
    return Params(
        extractor=about.recipe.backbone,
        input_size=about.recipe.input_size,
        coreset_rate=about.coreset_rate_applied,
        score_percentile=calibration.get("score_percentile", DEFAULT_PERCENTILE),
        area_mm2_thr=area_in_force(model),
        mm_per_px=about.mm_per_px,
        shape=view.shape.model_dump() if view.shape else None,
    )


def region_answer(region: Region) -> RegionAnswer:
    x, y, w, h = region.bbox
    return RegionAnswer(
        bbox=region.bbox, x=x, y=y, w=w, h=h,
        area_px=region.area_px, area_mm2=region.area_mm2, score=region.score, contour=region.contour,
    )  # fmt: skip


def _record(answer: InferAnswer, asked: Inspection, image: bytes) -> Record:
    return Record(
        inspection_id=answer.inspection_id,
        time_utc=datetime.now(UTC).isoformat(),
        role_id=asked.role_id,
        roi_id=asked.roi_id,
        part_id=asked.part_id,
        verdict=answer.verdict,
        score=answer.score,
        threshold=answer.threshold,
        model_version=answer.model_version,
        mm_per_px=asked.mm_per_px,
        request_id=answer.request_id,
        key_name=caller.key_name.get() or None,
        station=caller.station.get() or None,
        image_sha256=sha256(image),
        image_name=asked.image_name,
        regions=[region.model_dump() for region in answer.regions],
        params=answer.params.model_dump(),
        timings_ms=answer.timings_ms,
    )
