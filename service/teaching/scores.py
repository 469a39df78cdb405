"""How a model version scores pictures it has not learned from: those it was taught with, out of sample, and samples."""

from __future__ import annotations

import json
from collections.abc import Hashable

from service.backend import Backend
from service.calibration.threshold import DEFAULT_PERCENTILE
from service.contract.models import ModelScoresAnswer, NgScore, OkScore
from service.contract.shapes import parse_shape
from service.contract.words import Label
from service.inspection.infer import area_in_force, look
from service.loaded import description
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.stopwatch import Stopwatch
from service.store.samples import Sample, refuse_other_scale
from service.teaching.fit import held_out_scores


def model_scores(backend: Backend, role_id: str, roi_id: str, model_version: int | None) -> ModelScoresAnswer:
    """What its threshold is chosen from. Raises MemoryNotFitted, NotFound, ScaleMismatch, SampleDamaged."""
    used = backend.cache.version(role_id, roi_id, model_version)
    area_mm2, calibration = area_in_force(used), used.calibration or {}
    here = set(backend.datasets.filenames(role_id, roi_id, "ok"))
    ok = remembered_ok_scores(backend, role_id, roi_id, used)
    return ModelScoresAnswer(
        role_id=role_id,
        roi_id=roi_id,
        model_version=used.version,
        area_mm2_thr=area_mm2,
        threshold=calibration.get("threshold"),
        score_percentile=calibration.get("score_percentile", DEFAULT_PERCENTILE),
        uncalibrated_scale=used.description.uncalibrated_scale,
        ok=[
            OkScore(filename=picture.name if picture.name in here else None, score=score)
            for picture, score in zip(used.description.pictures, ok, strict=False)
        ],
        ng=[
            NgScore(filename=filename, score=score)
            for filename, score in remembered_ng_scores(backend, role_id, roi_id, used, area_mm2)
        ],
    )


def ok_scores(backend: Backend, role_id: str, roi_id: str, used: ModelVersion, area_mm2: float) -> list[float]:
    """Out-of-sample score of every picture it was taught with; none when it was taught with a single one."""
    about = used.description
    stored = backend.models.load(role_id, roi_id, used.version)
    return held_out_scores(description.held_out(stored), about.recipe, list(about.pictures), about.mm_per_px, area_mm2)


def remembered_ok_scores(backend: Backend, role_id: str, roi_id: str, used: ModelVersion) -> tuple[float, ...]:
    """With the area in force."""
    area_mm2 = area_in_force(used)
    key = (*version_key(role_id, roi_id, used), area_mm2)
    return backend.known_scores.get(key, lambda: tuple(ok_scores(backend, role_id, roi_id, used, area_mm2)))


def dataset_scores(
    backend: Backend, role_id: str, roi_id: str, label: Label, used: LoadedModel, area_mm2: float
) -> list[tuple[str, float]]:
    """Name and score of every stored sample. Raises ScaleMismatch, SampleDamaged."""
    return [
        (sample.filename, _score(backend, sample, used, area_mm2))
        for sample in backend.datasets.samples(role_id, roi_id, label)
    ]


def remembered_ng_scores(
    backend: Backend, role_id: str, roi_id: str, used: LoadedModel, area_mm2: float
) -> list[tuple[str, float]]:
    """As `dataset_scores`; only samples it has not scored before cost time: neither they nor a version ever change."""
    version = version_key(role_id, roi_id, used)
    found = []
    for sample in backend.datasets.samples(role_id, roi_id, "ng"):
        [score] = backend.known_scores.get(
            (*version, area_mm2, sample.filename),
            lambda sample=sample: (_score(backend, sample, used, area_mm2),),  # type: ignore[misc]
        )
        found.append((sample.filename, score))
    return found


def version_key(role_id: str, roi_id: str, used: ModelVersion) -> tuple[Hashable, ...]:
    """Of this version and no other, also where a number was given again after a restore."""
    return role_id, roi_id, used.version, used.description.created_utc


def _score(backend: Backend, sample: Sample, used: LoadedModel, area_mm2: float) -> float:
    refuse_other_scale(used.description.mm_per_px, sample.mm_per_px, f"sample {sample.filename} has not, it has")
    shape = parse_shape(json.dumps(sample.shape) if sample.shape else None)
    picture = backend.datasets.picture(sample.role_id, sample.roi_id, sample.label, sample.filename)
    return look(backend, used, picture, shape, sample.filename, Stopwatch(), area_mm2)[1].score
