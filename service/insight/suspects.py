"""Finds suspicious training pictures: outliers among the good, and pictures that make NG samples look normal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from service.backend import Device, Kept
from service.calibration.threshold import odd
from service.contract.models import QuestionableAnswer, QuestionableSample
from service.contract.rules import MIN_OK_SCORES
from service.contract.shapes import shape_from
from service.engine.protocol import MemoryBank
from service.insight.explain import embedded
from service.insight.nearest_good import two_owners
from service.inspection.examine import prepare
from service.loaded import description
from service.loaded.models import LoadedModel
from service.loaded.scale import TAUGHT_WITH
from service.store.samples import Sample, refuse_other_scale
from service.teaching.scores import remembered_ok_scores, version_key
from service.vision.level import levelled
from service.vision.verdict import measure

ODD, LIKE_NG = "odd_score", "like_ng"
# How much an NG sample's score has to rise without a picture, as a share of the threshold, for that to be no chance.
RISE = 0.25
# Pictures tried for each NG sample: those that explain most of it.
TRIED = 3


def questionable(
    device: Device, kept: Kept, role_id: str, roi_id: str, model_version: int | None
) -> QuestionableAnswer:
    """Odd ones first; only pictures still among the OK samples: others cannot be looked at or taken out.

    Raises MemoryNotFitted, NotFound, ScaleMismatch, SampleDamaged, what the device does.
    """
    used = device.models.version(role_id, roi_id, model_version)
    scores = remembered_ok_scores(kept, role_id, roi_id, used)
    reasons = dict.fromkeys(_strange(scores), ODD)
    for index in _hiding_ng(device, kept, role_id, roi_id, used):
        reasons.setdefault(index, LIKE_NG)
    here = set(kept.samples.filenames(role_id, roi_id, "ok"))
    names = [picture.name for picture in used.description.pictures]
    found = [
        QuestionableSample(filename=names[index], held_out_score=scores[index] if scores else None, reason=reason)
        for index, reason in reasons.items()
        if names[index] in here
    ]
    return QuestionableAnswer(role_id=role_id, roi_id=roi_id, model_version=used.version, samples=found)


def _strange(scores: Sequence[float]) -> list[int]:
    """Those that a calibration leaves out, the highest first."""
    if len(scores) < MIN_OK_SCORES:
        return []
    strange = np.flatnonzero(odd(np.array(scores))).tolist()
    return sorted(strange, key=lambda index: -scores[index])


def _hiding_ng(device: Device, kept: Kept, role_id: str, roi_id: str, used: LoadedModel) -> list[int]:
    """Indices of pictures without which NG samples would score higher; the picture that hides most samples first."""
    bank = description.bank(kept.models.load(role_id, roi_id, used.version))
    if len(np.unique(bank.owners)) < 2:
        return []
    version = (*version_key(role_id, roi_id, used), _level(used), used.area_mm2)
    found: list[int] = []
    for sample in kept.samples.samples(role_id, roi_id, "ng"):
        hiding = partial(_hiding, device, kept, used, bank, sample)
        found += kept.known_suspects.get((*version, sample.filename), hiding)
    return sorted(set(found), key=lambda index: (-found.count(index), index))


def _hiding(device: Device, kept: Kept, used: LoadedModel, bank: MemoryBank, sample: Sample) -> tuple[int, ...]:
    """Indices of the nearest good pictures that show a sample's defect as good."""
    mm_per_px, threshold = used.description.mm_per_px, _level(used)
    refuse_other_scale(mm_per_px, sample.mm_per_px, TAUGHT_WITH, f"sample {sample.filename}")
    data = kept.samples.picture(sample.role_id, sample.roi_id, sample.label, sample.filename)
    prepared = prepare(used, kept.decode(data, sample.filename), shape_from(sample.shape))
    view, patches = prepared.view, embedded(device, bank, prepared)
    nearest, owners, without = two_owners(patches[view.patches], bank.vectors, bank.owners)

    def score(away: np.ndarray) -> float:
        distances = np.zeros(view.grid, np.float32)
        distances[view.patches] = away
        return measure(levelled(distances, view.patches, used.description.level), view, mm_per_px, used.area_mm2).score

    gained = np.bincount(owners, weights=without - nearest)
    suspects, known = np.argsort(-gained)[:TRIED].tolist(), score(nearest)
    return tuple(
        index for index in suspects
        if score(np.where(owners == index, without, nearest)) - known >= RISE * threshold
    )  # fmt: skip


def _level(used: LoadedModel) -> float:
    """Threshold, or without calibration the level of the highest good scores."""
    return used.description.uncalibrated_scale if used.threshold is None else used.threshold
