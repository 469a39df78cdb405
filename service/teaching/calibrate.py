"""Calibrate a model version, and look at a ROI's stored samples with it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from service.backend import Backend
from service.calibration.threshold import DEFAULT_PERCENTILE, Calibration, calibrate
from service.contract.models import CalibrationAnswer, CalibrationRequest
from service.contract.samples import InferDatasetAnswer, SampleScore
from service.inspection.infer import area_in_force
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.store.samples import LABELS, refuse_other_scale
from service.teaching.scores import dataset_scores, ok_scores, remembered_ng_scores
from service.vision.anomaly_map import LARGEST_AREA_SHARE
from service.vision.verdict import DEFAULT_AREA_MM2

log = logging.getLogger(__name__)


def calibrate_version(backend: Backend, asked: CalibrationRequest) -> CalibrationAnswer:
    """Set the threshold of a version (None: the one that serves). Raises MemoryNotFitted, ScaleMismatch, InvalidField.

    Scores that are left out are taken from the store. Scores that are sent were measured with the area in force, so
    another `area_mm2_thr` cannot be applied to them; the answer says so. A preview changes nothing.
    """
    if not asked.preview:
        backend.freezing.refuse()
    find = backend.cache.described if asked.preview else backend.cache.version
    used = find(asked.role_id, asked.roi_id, asked.model_version)
    refuse_other_scale(used.description.mm_per_px, asked.mm_per_px, "the model of this ROI was taught with")
    own_scores = asked.ok_scores is None and asked.ng_scores is None
    wanted_mm2 = DEFAULT_AREA_MM2 if asked.area_mm2_thr is None else asked.area_mm2_thr
    area_mm2 = wanted_mm2 if own_scores else area_in_force(used)
    ok, ng = asked.ok_scores, asked.ng_scores
    if ok is None:
        ok = ok_scores(backend, asked.role_id, asked.roi_id, used, area_mm2)
    if ng is None:
        ng = _ng_scores(backend, asked, used, area_mm2)
    found = calibrate(ok, ng, asked.score_percentile or DEFAULT_PERCENTILE, asked.threshold)
    answer = _answer(found, asked, used, area_mm2, wanted_mm2)
    if not asked.preview:
        _adopt(backend, asked, used, answer, ok, ng)
    return answer


def _adopt(
    backend: Backend, asked: CalibrationRequest, used: ModelVersion, answer: CalibrationAnswer,
    ok: list[float], ng: list[float],
) -> None:  # fmt: skip
    stored = {**answer.model_dump(exclude={"request_id"}), "ok_scores": ok, "ng_scores": ng}
    stored["created_utc"] = datetime.now(UTC).isoformat()
    backend.models.write_calibration(asked.role_id, asked.roi_id, used.version, json.loads(json.dumps(stored)))
    backend.note(
        "calibrate",
        {"role_id": asked.role_id, "roi_id": asked.roi_id, "model_version": used.version},
        old=_in_force(used.calibration),
        new=_in_force(stored),
    )
    log.info("calibrated", extra={"role_id": asked.role_id, "roi_id": asked.roi_id, "threshold": answer.threshold})


def _ng_scores(backend: Backend, asked: CalibrationRequest, used: ModelVersion, area_mm2: float) -> list[float]:
    """What is written down is measured anew; a preview may use scores that are known."""
    loaded = used
    if not isinstance(loaded, LoadedModel):
        loaded = backend.cache.version(asked.role_id, asked.roi_id, used.version)
    if asked.preview:
        found = remembered_ng_scores(backend, asked.role_id, asked.roi_id, loaded, area_mm2)
    else:
        found = dataset_scores(backend, asked.role_id, asked.roi_id, "ng", loaded, area_mm2)
    return [score for _, score in found]


def _in_force(calibration: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("threshold", "area_mm2_thr", "score_percentile", "method", "n_ok", "n_ng")
    return {name: calibration[name] for name in names} if calibration else None


def inspect_dataset(backend: Backend, role_id: str, roi_id: str, model_version: int | None) -> InferDatasetAnswer:
    """Score and verdict of every stored sample; nothing is recorded."""
    used = backend.cache.version(role_id, roi_id, model_version)
    threshold = used.calibration["threshold"] if used.calibration else None
    results = [
        SampleScore(
            filename=filename, label=label, score=score,
            verdict=None if threshold is None else "NG" if score >= threshold else "OK",
        )
        for label in LABELS
        for filename, score in dataset_scores(backend, role_id, roi_id, label, used, area_in_force(used))
    ]  # fmt: skip
    return InferDatasetAnswer(
        role_id=role_id, roi_id=roi_id, model_version=used.version, threshold=threshold, results=results
    )


def _answer(
    found: Calibration, asked: CalibrationRequest, used: ModelVersion, area_mm2: float, wanted_mm2: float
) -> CalibrationAnswer:
    warnings = list(found.warnings)
    if area_mm2 != wanted_mm2:
        warnings.append(
            f"area_mm2_thr {wanted_mm2:g} was not applied: the scores sent were measured with {area_mm2:g}. "
            "Leave out ok_scores and ng_scores to apply it."
        )
    largest_mm2 = _largest_area_mm2(used)
    if area_mm2 > largest_mm2:
        warnings.append(
            f"area_mm2_thr {area_mm2:g} is more than a tenth of the ROI: {largest_mm2:.3g} mm² are enough to be NG."
        )
    values = asdict(found)
    false_reject, miss = values.pop("false_reject"), values.pop("miss")
    return CalibrationAnswer(
        **{**values, "warnings": warnings},
        mm_per_px=asked.mm_per_px,
        area_mm2_thr=area_mm2,
        false_reject_rate=false_reject["value"],
        false_reject_ci95=false_reject["ci95"],
        miss_rate=miss["value"],
        miss_ci95=miss["ci95"],
        model_version=used.version,
    )


def _largest_area_mm2(used: ModelVersion) -> float:
    """The area that always counts, however large the one that is asked for."""
    about = used.description
    view = about.pictures[0].view(about.recipe)
    mm2_per_px = view.place.scale_x * view.place.scale_y * about.mm_per_px**2
    return LARGEST_AREA_SHARE * view.inspected_px * mm2_per_px
