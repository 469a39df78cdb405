"""Judges stored inspections again with another version, and lists what changes. Nothing is recorded."""

from __future__ import annotations

import logging
from typing import cast

from service.backend import Device, Kept, Upkeep
from service.contract.insight import RerunChange, RerunRequest, RerunResult
from service.contract.words import Verdict
from service.errors import ImageTypeNotRead, InvalidField, NotFound, TooLarge, UndecodableImage
from service.inspection.examine import examine, refuse_uncalibrated
from service.inspection.pictures import Recalled, recall
from service.loaded.models import LoadedModel
from service.loaded.scale import TAUGHT_WITH
from service.progress import Report
from service.store.records.inspections import RecordFilter
from service.store.samples import refuse_other_scale

log = logging.getLogger(__name__)


def start(device: Device, kept: Kept, upkeep: Upkeep, asked: RerunRequest, which: RecordFilter) -> str:
    """Id of the job. Raises MemoryNotFitted, NotFound, InvalidField, QueueFull."""
    used = device.models.version(asked.role_id, asked.roi_id, asked.model_version)
    refuse_uncalibrated(used, asked.role_id, asked.roi_id)
    ids = _chosen(kept, asked, which)
    job_id, _ = upkeep.jobs.start("rerun", lambda report: rerun(device, kept, used, ids, report).model_dump())
    return job_id


def rerun(device: Device, kept: Kept, used: LoadedModel, inspection_ids: list[str], report: Report) -> RerunResult:
    """Between inspections. Raises Cancelled, ScaleMismatch (an inspection of another scale), what the device does."""
    changed, without_picture = [], 0
    for number, inspection_id in enumerate(inspection_ids):
        report(number / len(inspection_ids), "judge")
        try:
            change = _judge_again(device, kept, used, recall(kept, kept.records.get(inspection_id)))
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


def _chosen(kept: Kept, asked: RerunRequest, which: RecordFilter) -> list[str]:
    """Newest first."""
    if asked.inspection_ids is None:
        return [record.inspection_id for record in kept.records.find(which, asked.limit)[1]]
    for inspection_id in asked.inspection_ids:
        record = kept.records.get(inspection_id)
        if (record.role_id, record.roi_id) != (asked.role_id, asked.roi_id):
            raise InvalidField(f"inspection_ids: {inspection_id} is of {record.role_id}/{record.roi_id}.")
    return sorted(set(asked.inspection_ids), reverse=True)


def _judge_again(device: Device, kept: Kept, used: LoadedModel, seen: Recalled) -> RerunChange:
    """As an inspection judges. Raises ScaleMismatch, what `decode` and the device do."""
    record = seen.record
    of = f"inspection {record.inspection_id}"
    refuse_other_scale(used.description.mm_per_px, record.mm_per_px, TAUGHT_WITH, of)
    image_rgb = kept.decode(seen.image, record.inspection_id)
    examined = examine(device, used, image_rgb, seen.shape, in_turn=True)
    assert examined.judged is not None  # asked for before the start
    assert examined.threshold is not None
    return RerunChange(
        inspection_id=record.inspection_id,
        old_verdict=cast("Verdict | None", record.verdict),
        new_verdict=examined.judged.verdict,
        old_score=record.score,
        new_score=examined.score,
        new_threshold=examined.threshold,
    )
