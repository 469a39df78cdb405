"""Scores of a model version: held-out scores of the pictures it was taught with, and scores of stored samples."""

from __future__ import annotations

from collections.abc import Hashable

from service.backend import Device, Kept
from service.contract.models import ModelScoresAnswer, NgScore, OkScore
from service.contract.words import Label
from service.inspection.examine import examine_sample
from service.loaded import description
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.teaching.fit import held_out_scores


def model_scores(device: Device, kept: Kept, role_id: str, roi_id: str, model_version: int | None) -> ModelScoresAnswer:
    """What its threshold is chosen from. Raises MemoryNotFitted, NotFound, ScaleMismatch, SampleDamaged."""
    used = device.models.version(role_id, roi_id, model_version)
    area_mm2 = used.area_mm2
    here = set(kept.samples.filenames(role_id, roi_id, "ok"))
    ok = remembered_ok_scores(kept, role_id, roi_id, used)
    return ModelScoresAnswer(
        role_id=role_id,
        roi_id=roi_id,
        model_version=used.version,
        area_mm2_thr=area_mm2,
        threshold=used.threshold,
        score_percentile=used.score_percentile,
        uncalibrated_scale=used.description.uncalibrated_scale,
        ok=[
            OkScore(filename=picture.name if picture.name in here else None, score=score)
            for picture, score in zip(used.description.pictures, ok, strict=False)
        ],
        ng=[
            NgScore(filename=filename, score=score)
            for filename, score in remembered_ng_scores(device, kept, role_id, roi_id, used, area_mm2)
        ],
    )


def ok_scores(kept: Kept, role_id: str, roi_id: str, used: ModelVersion, area_mm2: float) -> list[float]:
    """Out-of-sample score of every picture it was taught with; none when it was taught with a single one."""
    about = used.description
    stored = kept.models.load(role_id, roi_id, used.version)
    return held_out_scores(description.held_out(stored), about.recipe, list(about.pictures), about.mm_per_px, area_mm2)


def remembered_ok_scores(kept: Kept, role_id: str, roi_id: str, used: ModelVersion) -> tuple[float, ...]:
    """With the area in force."""
    area_mm2 = used.area_mm2
    key = (*version_key(role_id, roi_id, used), area_mm2)
    return kept.known_scores.get(key, lambda: tuple(ok_scores(kept, role_id, roi_id, used, area_mm2)))


def dataset_scores(
    device: Device, kept: Kept, role_id: str, roi_id: str, label: Label, used: LoadedModel, area_mm2: float
) -> list[tuple[str, float]]:
    """Name and score of every stored sample. Raises ScaleMismatch, SampleDamaged."""
    return [
        (sample.filename, examine_sample(device, kept, used, sample, area_mm2).score)
        for sample in kept.samples.samples(role_id, roi_id, label)
    ]


def remembered_ng_scores(
    device: Device, kept: Kept, role_id: str, roi_id: str, used: LoadedModel, area_mm2: float
) -> list[tuple[str, float]]:
    """As `dataset_scores`; only samples it has not scored before cost time: neither they nor a version ever change."""
    version = version_key(role_id, roi_id, used)
    found = []
    for sample in kept.samples.samples(role_id, roi_id, "ng"):
        [score] = kept.known_scores.get(
            (*version, area_mm2, sample.filename),
            lambda sample=sample: (examine_sample(device, kept, used, sample, area_mm2).score,),  # type: ignore[misc]
        )
        found.append((sample.filename, score))
    return found


def version_key(role_id: str, roi_id: str, used: ModelVersion) -> tuple[Hashable, ...]:
    """Of this version and no other, also where a number was given again after a restore."""
    return role_id, roi_id, used.version, used.description.created_utc
