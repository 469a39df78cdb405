"""Scores of a model version: held-out scores of the pictures it was taught with, and scores of stored samples."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from service.backend import Device, Kept
from service.contract.models import ModelScoresAnswer, NgScore, OkScore
from service.contract.words import Label
from service.inspection.examine import examine_sample
from service.loaded import description
from service.loaded.description import ModelVersion
from service.loaded.models import LoadedModel
from service.store.samples import part_id_of
from service.teaching.fit import held_out_scores


def model_scores(device: Device, kept: Kept, role_id: str, roi_id: str, model_version: int | None) -> ModelScoresAnswer:
    """What its threshold is chosen from. Raises MemoryNotFitted, NotFound, ScaleMismatch, SampleDamaged."""
    used = device.models.version(role_id, roi_id, model_version)
    area_mm2 = used.area_mm2
    here = set(kept.samples.filenames(role_id, roi_id, "ok"))
    ok = remembered_ok_scores(kept, role_id, roi_id, used)
    parts = used.description.parts or range(len(ok))
    ng = remembered_ng_scores(device, kept, role_id, roi_id, used, area_mm2)
    ng_parts = ng_parts_of(kept, role_id, roi_id, [filename for filename, _ in ng])
    return ModelScoresAnswer(
        role_id=role_id,
        roi_id=roi_id,
        model_version=used.version,
        area_mm2_thr=area_mm2,
        threshold=used.threshold,
        score_percentile=used.score_percentile,
        uncalibrated_scale=used.description.uncalibrated_scale,
        ok=[
            OkScore(filename=picture.name if picture.name in here else None, score=score, part=part)
            for picture, score, part in zip(used.description.pictures, ok, parts, strict=False)
        ],
        ng=[
            NgScore(filename=filename, score=score, part=part)
            for (filename, score), part in zip(ng, ng_parts, strict=True)
        ],
    )


def ok_scores(kept: Kept, role_id: str, roi_id: str, used: ModelVersion, area_mm2: float) -> list[float]:
    """Out-of-sample score of every picture it was taught with; none when it was taught with a single one."""
    about = used.description
    stored = kept.models.load(role_id, roi_id, used.version)
    return held_out_scores(description.held_out(stored), about.recipe, list(about.pictures), about.mm_per_px, area_mm2)


def remembered_ok_scores(
    kept: Kept, role_id: str, roi_id: str, used: ModelVersion, area_mm2: float | None = None
) -> tuple[float, ...]:
    """As `ok_scores`, with the area in force unless another one is asked for."""
    area_mm2 = used.area_mm2 if area_mm2 is None else area_mm2
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


def ng_parts_of(kept: Kept, role_id: str, roi_id: str, filenames: Sequence[str]) -> list[int]:
    """Number of the part that each NG sample shows: those of one part id are one part, all others are different."""
    named = {sample.filename: part_id_of(sample) for sample in kept.samples.samples(role_id, roi_id, "ng")}
    known: dict[tuple[str, str], int] = {}
    return [known.setdefault((named.get(name, ""), "" if named.get(name) else name), len(known)) for name in filenames]


def version_key(role_id: str, roi_id: str, used: ModelVersion) -> tuple[Hashable, ...]:
    """Of this version and no other, also where a number was given again after a restore."""
    return role_id, roi_id, used.version, used.description.created_utc
