"""Which training pictures to question: odd ones among the good, and those that make NG samples look normal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import numpy as np

from service.backend import Backend
from service.calibration.threshold import MIN_OK_SCORES, odd
from service.contract.models import QuestionableAnswer, QuestionableSample
from service.contract.shapes import parse_shape
from service.engine.protocol import MemoryBank
from service.insight.explain import embedded
from service.insight.nearest_good import two_owners
from service.inspection.infer import area_in_force
from service.loaded import description
from service.loaded.models import LoadedModel
from service.store.samples import Sample, refuse_other_scale
from service.teaching.scores import remembered_ok_scores, version_key
from service.vision.images import decode
from service.vision.network_view import NetworkView, network_view
from service.vision.verdict import measure

ODD, LIKE_NG = "odd_score", "like_ng"
# How much an NG sample's score has to rise without a picture, as a share of the threshold, for that to be no chance.
RISE = 0.25
# Pictures tried for each NG sample: those that explain most of it.
TRIED = 3


def questionable(backend: Backend, role_id: str, roi_id: str, model_version: int | None) -> QuestionableAnswer:
    """Odd ones first; only pictures still among the OK samples: others cannot be looked at or taken out.

    Raises MemoryNotFitted, NotFound, ScaleMismatch, SampleDamaged, what the device does.
    """
    used = backend.cache.version(role_id, roi_id, model_version)
    scores = remembered_ok_scores(backend, role_id, roi_id, used)
    reasons = dict.fromkeys(_strange(scores), ODD)
    for index in _hiding_ng(backend, role_id, roi_id, used):
        reasons.setdefault(index, LIKE_NG)
    here = set(backend.datasets.filenames(role_id, roi_id, "ok"))
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


def _hiding_ng(backend: Backend, role_id: str, roi_id: str, used: LoadedModel) -> list[int]:
    """Those without which NG samples would score higher; who hides most of them first."""
    bank = description.bank(backend.models.load(role_id, roi_id, used.version))
    if len(np.unique(bank.owners)) < 2:
        return []
    version = (*version_key(role_id, roi_id, used), *_in_force(used))
    found: list[int] = []
    for sample in backend.datasets.samples(role_id, roi_id, "ng"):
        hiding = partial(_hiding, backend, used, bank, sample)
        found += backend.known_suspects.get((*version, sample.filename), hiding)
    return sorted(set(found), key=lambda index: (-found.count(index), index))


def _hiding(backend: Backend, used: LoadedModel, bank: MemoryBank, sample: Sample) -> tuple[int, ...]:
    """Of the pictures that come nearest to a sample, those that show as good what is bad about it."""
    about, (threshold, area_mm2) = used.description, _in_force(used)
    refuse_other_scale(about.mm_per_px, sample.mm_per_px, f"sample {sample.filename} has not, it has")
    view, patches = _patches_of(backend, used, bank, sample)
    nearest, owners, without = two_owners(patches[view.patches], bank.vectors, bank.owners)

    def score(away: np.ndarray) -> float:
        distances = np.zeros(view.grid, np.float32)
        distances[view.patches] = away
        return measure(distances, view, about.mm_per_px, area_mm2).score

    gained = np.bincount(owners, weights=without - nearest)
    suspects, known = np.argsort(-gained)[:TRIED].tolist(), score(nearest)
    return tuple(
        index for index in suspects
        if score(np.where(owners == index, without, nearest)) - known >= RISE * threshold
    )  # fmt: skip


def _patches_of(
    backend: Backend, used: LoadedModel, bank: MemoryBank, sample: Sample
) -> tuple[NetworkView, np.ndarray]:
    data = backend.datasets.picture(sample.role_id, sample.roi_id, sample.label, sample.filename)
    image_rgb = decode(data, max_mpx=backend.settings.max_image_mpx, name=sample.filename)
    shape = parse_shape(json.dumps(sample.shape) if sample.shape else None)
    recipe = used.description.recipe
    view = network_view(shape, *image_rgb.shape[:2], recipe.input_size, recipe.stride)
    return view, embedded(backend, used, bank, image_rgb, view)


def _in_force(used: LoadedModel) -> tuple[float, float]:
    """Threshold, or without calibration the level of the highest good scores; and area in mm²."""
    threshold = used.calibration["threshold"] if used.calibration else used.description.uncalibrated_scale
    return float(threshold), area_in_force(used)
