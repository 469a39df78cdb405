"""What would another version have said: stored inspections judged again. Nothing is recorded."""

from __future__ import annotations

import logging
from typing import cast

from service.backend import Backend
from service.contract.insight import RerunChange, RerunRequest, RerunResult
from service.contract.words import Verdict
from service.engine.patchcore import Report
from service.errors import ImageTypeNotRead, InvalidField, NotCalibrated, NotFound, TooLarge, UndecodableImage
from service.inspection.infer import area_in_force
from service.inspection.pictures import Recalled, recall
from service.loaded.models import LoadedModel
from service.store.records.inspections import RecordFilter
from service.store.samples import refuse_other_scale
from service.vision.images import decode
from service.vision.network_view import network_view
from service.vision.verdict import Judged, judge, measure

log = logging.getLogger(__name__)


def start(backend: Backend, asked: RerunRequest, which: RecordFilter) -> str:
    """Id of the job. Raises MemoryNotFitted, NotFound, NotCalibrated, InvalidField, QueueFull."""
    used = backend.cache.version(asked.role_id, asked.roi_id, asked.model_version)
    if used.calibration is None:
        raise NotCalibrated(
            f"Version {used.version} of {asked.role_id}/{asked.roi_id} is not calibrated: run POST /calibrate_ng."
        )
    ids = _chosen(backend, asked, which)
    job_id, _ = backend.jobs.start("rerun", lambda report: rerun(backend, used, ids, report).model_dump())
    return job_id


def rerun(backend: Backend, used: LoadedModel, inspection_ids: list[str], report: Report) -> RerunResult:
    """Between inspections. Raises Cancelled, ScaleMismatch (an inspection of another scale), what the device does."""
    changed, without_picture = [], 0
    for number, inspection_id in enumerate(inspection_ids):
        report(number / len(inspection_ids), "judge")
        try:
            change = _judge_again(backend, used, recall(backend, backend.records.get(inspection_id)))
        except NotFound:
            without_picture += 1
            continue
        except (ImageTypeNotRead, UndecodableImage, TooLarge) as problem:
            log.warning("picture unreadable", extra={"inspection_id": inspection_id, "detail": problem.detail})
            without_picture += 1
            continue
        if change.old_verdict != change.new_verdict:
            changed.append(change)
    return RerunResult(
        model_version=used.version,
        n=len(inspection_ids) - without_picture,
        n_changed=len(changed),
        changed=changed,
        without_picture=without_picture,
    )


def _chosen(backend: Backend, asked: RerunRequest, which: RecordFilter) -> list[str]:
    """Newest first."""
    if asked.inspection_ids is None:
        return [record.inspection_id for record in backend.records.find(which, asked.limit)[1]]
    for inspection_id in asked.inspection_ids:
        record = backend.records.get(inspection_id)
        if (record.role_id, record.roi_id) != (asked.role_id, asked.roi_id):
            raise InvalidField(f"inspection_ids: {inspection_id} is of {record.role_id}/{record.roi_id}.")
    return sorted(set(asked.inspection_ids), reverse=True)


def _judge_again(backend: Backend, used: LoadedModel, seen: Recalled) -> RerunChange:
    assert used.calibration is not None  # asked for before the start
    record, threshold = seen.record, used.calibration["threshold"]
    judged, score = _judged(backend, used, seen, threshold)
    return RerunChange(
        inspection_id=record.inspection_id,
        old_verdict=cast("Verdict | None", record.verdict),
        new_verdict=judged.verdict,
        old_score=record.score,
        new_score=score,
        new_threshold=threshold,
    )


def _judged(backend: Backend, used: LoadedModel, seen: Recalled, threshold: float) -> tuple[Judged, float]:
    """As an inspection judges, with its score."""
    record, about = seen.record, used.description
    refuse_other_scale(about.mm_per_px, record.mm_per_px, f"inspection {record.inspection_id} has not, it has")
    image_rgb = decode(seen.image, max_mpx=backend.settings.max_image_mpx, name=record.inspection_id)
    view = network_view(seen.shape, *image_rgb.shape[:2], about.recipe.input_size, about.recipe.stride)
    distances = backend.distances_in_turn(used, view.picture(image_rgb), view.patches)
    measured = measure(distances, view, about.mm_per_px, area_in_force(used))
    return judge(measured, view, about.mm_per_px, threshold), measured.score
