"""Inspect a part: decode, frame, embed, compare, judge, record. The verdict leaves after its record is committed."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from service import caller
from service.backend import Device, Kept
from service.contract.inspections import InferAnswer, ScoresAnswer
from service.contract.shapes import Shape
from service.inspection.answers import heatmap_png, params, regions
from service.inspection.examine import Examined, examine, refuse_uncalibrated, serving_model, shape_in_force
from service.loaded.models import LoadedModel
from service.stopwatch import Stopwatch
from service.store.files import sha256
from service.store.records.inspections import Record, new_inspection_id


@dataclass(frozen=True)
class Inspection:
    """A request of /infer, without its picture."""

    role_id: str
    roi_id: str
    mm_per_px: float
    shape: Shape | None = None
    part_id: str | None = None
    heatmap: bool = True
    allow_uncalibrated: bool = False
    image_name: str | None = None


def inspect(device: Device, kept: Kept, asked: Inspection, image: bytes) -> InferAnswer:
    """Verdict of one part. Raises MemoryNotFitted, ScaleMismatch, NotCalibrated, what `decode` and the device do."""
    started, watch = time.perf_counter(), Stopwatch()
    model = serving_model(device, asked.role_id, asked.roi_id, asked.mm_per_px)
    if not asked.allow_uncalibrated and kept.settings.require_calibration:
        hint = " (or send allow_uncalibrated=true for a score without a verdict)"
        refuse_uncalibrated(model, asked.role_id, asked.roi_id, hint)
    with watch("decode"):
        image_rgb = kept.decode(image, asked.image_name or "image")
    examined = examine(device, model, image_rgb, shape_in_force(model, image_rgb, asked.shape), watch)
    answer = _answer(asked, model, examined, watch.ms)
    written = kept.records.hand_in(_record(answer, asked, image))
    with watch("draw"):  # while the record is on its way to the disk
        png = heatmap_png(model, examined) if asked.heatmap else None
        answer.heatmap_png_base64 = base64.b64encode(png).decode() if png else None
    with watch("record"):
        kept.records.wait_for(written)
    answer.timings_ms = watch.ms | {"total": round((time.perf_counter() - started) * 1e3, 3)}
    if kept.archive.wants(answer.verdict):
        kept.archive.keep(answer.inspection_id, image, png)
    device.metrics.inspected(asked.role_id, asked.roi_id, answer.verdict, answer.timings_ms, model.provisional)
    return answer


def scores(
    device: Device, kept: Kept, role_id: str, roi_id: str, mm_per_px: float, shape: Shape | None,
    images: list[tuple[str, bytes]],
) -> ScoresAnswer:  # fmt: skip
    """Scores without verdict or record, for calibration."""
    model = serving_model(device, role_id, roi_id, mm_per_px)
    found = []
    for name, data in images:
        image_rgb = kept.decode(data, name)
        found.append(examine(device, model, image_rgb, shape_in_force(model, image_rgb, shape)).score)
    return ScoresAnswer(scores=found, model_version=model.version, area_mm2_thr=model.area_mm2)


def _answer(asked: Inspection, model: LoadedModel, examined: Examined, timings_ms: dict[str, float]) -> InferAnswer:
    return InferAnswer(
        role_id=asked.role_id,
        roi_id=asked.roi_id,
        score=examined.score,
        threshold=examined.threshold,
        verdict=examined.judged.verdict if examined.judged else None,
        provisional=model.provisional,
        token_shape=examined.view.grid,
        heatmap_png_base64=None,
        regions=regions(examined),
        params=params(model, examined.view),
        model_version=model.version,
        inspection_id=new_inspection_id(datetime.now(UTC)),
        part_id=asked.part_id,
        timings_ms=timings_ms,
        request_id=caller.request_id.get(),
    )


def _record(answer: InferAnswer, asked: Inspection, image: bytes) -> Record:
    """What the answer tells, but for its pictures, and who asked with what; `params` say whether it is provisional."""
    return Record(
        **answer.model_dump(exclude={"token_shape", "heatmap_png_base64", "provisional"}),
        time_utc=datetime.now(UTC).isoformat(),
        mm_per_px=asked.mm_per_px,
        key_name=caller.key_name.get() or None,
        station=caller.station.get() or None,
        image_sha256=sha256(image),
        image_name=asked.image_name,
    )
