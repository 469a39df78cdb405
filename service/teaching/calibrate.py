"""Calibrate a model version, and look at an ROI's stored samples with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from service import caller
from service.backend import Device, Kept, People
from service.calibration.threshold import calibrate
from service.contract.models import (
    DEFAULT_PERCENTILE,
    AcceptAnswer,
    Accepted,
    AcceptRequest,
    Calibration,
    CalibrationAnswer,
    CalibrationRequest,
)
from service.contract.samples import InferDatasetAnswer, SampleScore
from service.errors import Conflict, InvalidField, NotCalibrated
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.loaded.scale import TAUGHT_WITH
from service.store.samples import LABELS, refuse_other_scale
from service.teaching.scores import dataset_scores, ng_parts_of, remembered_ng_scores, remembered_ok_scores
from service.vision.anomaly_map import LARGEST_AREA_SHARE
from service.vision.verdict import DEFAULT_AREA_MM2

log = logging.getLogger(__name__)


def calibrate_version(device: Device, kept: Kept, people: People, asked: CalibrationRequest) -> CalibrationAnswer:
    """Set the threshold of a version (None: the one that serves). Raises MemoryNotFitted, ScaleMismatch, InvalidField.

    Scores that are left out are taken from the store. Scores that are sent were measured with the area in force, so
    another `area_mm2_thr` cannot be applied to them; the answer says so. A preview changes nothing.
    """
    if not asked.preview:
        people.freezing.refuse()
    find = device.models.described if asked.preview else device.models.version
    used = find(asked.role_id, asked.roi_id, asked.model_version)
    refuse_other_scale(used.description.mm_per_px, asked.mm_per_px, TAUGHT_WITH)
    own_scores = asked.ok_scores is None and asked.ng_scores is None
    wanted_mm2 = DEFAULT_AREA_MM2 if asked.area_mm2_thr is None else asked.area_mm2_thr
    area_mm2 = wanted_mm2 if own_scores else used.area_mm2
    ok: Sequence[float] | None = asked.ok_scores
    ng: Sequence[float] | None = asked.ng_scores
    ok_parts: Sequence[int] | None = asked.ok_parts
    ng_parts: Sequence[int] | None = asked.ng_parts
    if ok is None:
        ok, ok_parts = (
            remembered_ok_scores(kept, asked.role_id, asked.roi_id, used, area_mm2),
            used.description.parts or None,
        )
    if ng is None:
        ng, ng_parts = _ng_scores(device, kept, asked, used, area_mm2)
    for name, scores, parts in (("ok_parts", ok, ok_parts), ("ng_parts", ng, ng_parts)):
        if parts is not None and len(parts) != len(scores):
            raise InvalidField(f"{name}: {len(parts)} for {len(scores)} scores; send one for each, or none.")
    percentile = asked.score_percentile or DEFAULT_PERCENTILE
    result = calibrate(ok, ng, percentile, asked.threshold, ok_parts=ok_parts, ng_parts=ng_parts)
    said = (*result.warnings, *_area_warnings(used, area_mm2, wanted_mm2))
    calibration = Calibration(
        **{**result.model_dump(), "warnings": said},
        mm_per_px=asked.mm_per_px,
        area_mm2_thr=area_mm2,
        model_version=used.version,
        ok_scores=tuple(ok),
        ng_scores=tuple(ng),
        created_utc=datetime.now(UTC).isoformat(),
    )
    if not asked.preview:
        _adopt(kept, people, asked, used, calibration)
    return CalibrationAnswer(**calibration.model_dump(exclude={"ok_scores", "ng_scores", "created_utc", "accepted"}))


def accept(device: Device, kept: Kept, people: People, asked: AcceptRequest) -> AcceptAnswer:
    """Answer by name for a threshold that has too few good parts behind it: its verdicts are no longer provisional.

    Raises MemoryNotFitted, NotCalibrated, Conflict (it is not provisional), TrainingFrozen, DiskFull.
    """
    people.freezing.refuse()
    used = device.models.described(asked.role_id, asked.roi_id, asked.model_version)
    calibration = used.calibration
    if calibration is None:
        raise NotCalibrated(f"Version {used.version} of {asked.role_id}/{asked.roi_id} is not calibrated.")
    if not calibration.verdicts_are_provisional:
        raise Conflict(f"The threshold of version {used.version} is not provisional: there is nothing to accept.")
    accepted = Accepted(
        by=caller.name(),
        station=caller.station.get(),
        utc=datetime.now(UTC).isoformat(timespec="seconds"),
        why=asked.why,
    )
    place = {"role_id": asked.role_id, "roi_id": asked.roi_id, "model_version": used.version}
    kept.models.write_calibration(
        asked.role_id, asked.roi_id, used.version, calibration.model_copy(update={"accepted": accepted})
    )
    people.note("accept_provisional", place, old=_in_force(calibration), new=accepted.model_dump())
    return AcceptAnswer(role_id=asked.role_id, roi_id=asked.roi_id, model_version=used.version, accepted=accepted)


def _adopt(kept: Kept, people: People, asked: CalibrationRequest, used: ModelVersion, calibration: Calibration) -> None:
    kept.models.write_calibration(asked.role_id, asked.roi_id, used.version, calibration)
    people.note(
        "calibrate",
        {"role_id": asked.role_id, "roi_id": asked.roi_id, "model_version": used.version},
        old=_in_force(used.calibration),
        new=_in_force(calibration),
    )
    extra = {"role_id": asked.role_id, "roi_id": asked.roi_id, "threshold": calibration.threshold}
    log.info("calibrated", extra=extra)


def _ng_scores(
    device: Device, kept: Kept, asked: CalibrationRequest, used: ModelVersion, area_mm2: float
) -> tuple[list[float], list[int]]:
    """And the part of each. Measured again for a calibration that is stored; a preview may use remembered scores."""
    loaded = used
    if not isinstance(loaded, LoadedModel):
        loaded = device.models.version(asked.role_id, asked.roi_id, used.version)
    if asked.preview:
        found = remembered_ng_scores(device, kept, asked.role_id, asked.roi_id, loaded, area_mm2)
    else:
        found = dataset_scores(device, kept, asked.role_id, asked.roi_id, "ng", loaded, area_mm2)
    return [score for _, score in found], ng_parts_of(
        kept, asked.role_id, asked.roi_id, [filename for filename, _ in found]
    )


def _in_force(calibration: Calibration | None) -> dict[str, Any] | None:
    names = {"threshold", "area_mm2_thr", "score_percentile", "method", "n_ok", "n_ng", "provisional"}
    return calibration.model_dump(include=names) if calibration else None


def inspect_dataset(
    device: Device, kept: Kept, role_id: str, roi_id: str, model_version: int | None
) -> InferDatasetAnswer:
    """Score and verdict of every stored sample; nothing is recorded."""
    used = device.models.version(role_id, roi_id, model_version)
    threshold = used.threshold
    results = [
        SampleScore(
            filename=filename, label=label, score=score,
            verdict=None if threshold is None else "NG" if score >= threshold else "OK",
        )
        for label in LABELS
        for filename, score in dataset_scores(device, kept, role_id, roi_id, label, used, used.area_mm2)
    ]  # fmt: skip
    return InferDatasetAnswer(
        role_id=role_id, roi_id=roi_id, model_version=used.version, threshold=threshold, results=results
    )


def _area_warnings(used: ModelVersion, area_mm2: float, wanted_mm2: float) -> list[str]:
    said = []
    if area_mm2 != wanted_mm2:
        said.append(
            f"area_mm2_thr {wanted_mm2:g} was not applied: the scores sent were measured with {area_mm2:g}. "
            "Leave out ok_scores and ng_scores to apply it."
        )
    largest_mm2 = _largest_area_mm2(used)
    if area_mm2 > largest_mm2:
        said.append(
            f"area_mm2_thr {area_mm2:g} is more than a tenth of the ROI: {largest_mm2:.3g} mm² are enough to be NG."
        )
    return said


def _largest_area_mm2(used: ModelVersion) -> float:
    """The area that always counts, however large the one that is asked for."""
    about = used.description
    view = about.pictures[0].view(about.recipe)
    mm2_per_px = view.place.scale_x * view.place.scale_y * about.mm_per_px**2
    return LARGEST_AREA_SHARE * view.inspected_px * mm2_per_px
