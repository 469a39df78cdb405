"""Calibrate a model version, and look at a ROI's stored samples with it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from service import model
from service.anomaly_map import LARGEST_AREA_SHARE
from service.backend import Backend
from service.cache import LoadedModel
from service.calibration import DEFAULT_PERCENTILE, Calibration, calibrate
from service.contract import CalibrationAnswer, CalibrationRequest, InferDatasetAnswer, Label, SampleScore
from service.geometry import parse_shape
from service.inspecting import area_in_force, look
from service.judging import DEFAULT_AREA_MM2
from service.stopwatch import Stopwatch
from service.store.datasets import LABELS, refuse_other_scale
from service.teaching import held_out_scores

log = logging.getLogger(__name__)


def calibrate_version(backend: Backend, asked: CalibrationRequest) -> CalibrationAnswer:
    """Set the threshold of a version (None: the one that serves). Raises MemoryNotFitted, ScaleMismatch, InvalidField.

    Scores that are left out are taken from the store. Scores that are sent were measured with the area in force, so
    another `area_mm2_thr` cannot be applied to them; the answer says so.
    """
    backend.freezing.refuse()
    used = backend.cache.version(asked.role_id, asked.roi_id, asked.model_version)
    refuse_other_scale(used.description.mm_per_px, asked.mm_per_px, "the model of this ROI was taught with")
    own_scores = asked.ok_scores is None and asked.ng_scores is None
    wanted_mm2 = DEFAULT_AREA_MM2 if asked.area_mm2_thr is None else asked.area_mm2_thr
    area_mm2 = wanted_mm2 if own_scores else area_in_force(used)
    ok = asked.ok_scores if asked.ok_scores is not None else _ok_scores(backend, asked, used, area_mm2)
    ng = asked.ng_scores
    if ng is None:
        ng = [score for _, score in _dataset_scores(backend, asked.role_id, asked.roi_id, "ng", used, area_mm2)]
    found = calibrate(ok, ng, asked.score_percentile or DEFAULT_PERCENTILE)
    answer = _answer(found, asked, used, area_mm2, wanted_mm2)
    stored = {**answer.model_dump(exclude={"request_id"}), "ok_scores": ok, "ng_scores": ng}
    stored["created_utc"] = datetime.now(UTC).isoformat()
    backend.models.write_calibration(asked.role_id, asked.roi_id, used.version, json.loads(json.dumps(stored)))
    backend.note(
        "calibrate",
        {"role_id": asked.role_id, "roi_id": asked.roi_id, "model_version": used.version},
        old=_in_force(used.calibration),
        new=_in_force(stored),
    )
    log.info("calibrated", extra={"role_id": asked.role_id, "roi_id": asked.roi_id, "threshold": found.threshold})
    return answer


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
        for filename, score in _dataset_scores(backend, role_id, roi_id, label, used, area_in_force(used))
    ]  # fmt: skip
    return InferDatasetAnswer(
        role_id=role_id, roi_id=roi_id, model_version=used.version, threshold=threshold, results=results
    )


def _ok_scores(backend: Backend, asked: CalibrationRequest, used: LoadedModel, area_mm2: float) -> list[float]:
    stored = backend.models.load(asked.role_id, asked.roi_id, used.version)
    about = used.description
    return held_out_scores(model.held_out(stored), about.recipe, list(about.pictures), about.mm_per_px, area_mm2)


def _dataset_scores(
    backend: Backend, role_id: str, roi_id: str, label: Label, used: LoadedModel, area_mm2: float
) -> list[tuple[str, float]]:
    found = []
    for sample in backend.datasets.samples(role_id, roi_id, label):
        refuse_other_scale(used.description.mm_per_px, sample.mm_per_px, f"sample {sample.filename} has not, it has")
        shape = parse_shape(json.dumps(sample.shape) if sample.shape else None)
        picture = backend.datasets.picture(role_id, roi_id, label, sample.filename)
        _, measured = look(backend, used, picture, shape, sample.filename, Stopwatch(), area_mm2)
        found.append((sample.filename, measured.score))
    return found


def _answer(
    found: Calibration, asked: CalibrationRequest, used: LoadedModel, area_mm2: float, wanted_mm2: float
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


def _largest_area_mm2(used: LoadedModel) -> float:
    """The area that always counts, however large the one that is asked for."""
    about = used.description
    layout = about.pictures[0].layout(about.recipe)
    mm2_per_px = layout.frame.scale_x * layout.frame.scale_y * about.mm_per_px**2
    return LARGEST_AREA_SHARE * layout.inspected_px * mm2_per_px
