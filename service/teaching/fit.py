"""Teach a ROI: good pictures in, a new version of its model out, with its out-of-sample scores."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from service.backend import Backend
from service.contract.models import FitAnswer
from service.contract.shapes import Shape, parse_shape
from service.engine import patchcore
from service.engine.patchcore import Fitted, Fitting, Good, Report, Teaching
from service.engine.protocol import Recipe
from service.errors import InvalidField
from service.loaded import description as model
from service.loaded.description import Description, TaughtPicture
from service.loaded.scale import refuse_scale_of_others
from service.settings import Settings
from service.stopwatch import Stopwatch
from service.store.samples import refuse_other_scale
from service.vision.images import decode
from service.vision.network_view import roi_side
from service.vision.verdict import DEFAULT_AREA_MM2, measure

log = logging.getLogger(__name__)
# Network pictures kept between the two passes of a fit; beyond it they are read and decoded again.
KEEP_PICTURES = 1000


@dataclass(frozen=True)
class Lesson:
    """What /fit_ok is asked. `images` are (name, bytes); None: the ROI's stored OK samples."""

    role_id: str
    roi_id: str
    mm_per_px: float
    images: list[tuple[str, bytes]] | None
    shape: Shape | None = None
    memory_fit: bool = False
    stage: bool = False


@dataclass(frozen=True)
class _Source:
    """One good picture: who it is, how to get its bytes, its shape; `sample` is its file name when it is stored."""

    name: str
    read: Callable[[], bytes]
    shape: Shape | None
    sample: str = ""


def teach(backend: Backend, lesson: Lesson, report: Report) -> FitAnswer:
    """Fit, publish and, unless only staged, activate a new version.

    Raises TrainingFrozen, ScaleMismatch, InvalidField (no pictures), what `decode` raises (naming the picture),
    Cancelled, DiskFull.
    """
    started, watch = time.perf_counter(), Stopwatch()
    backend.freezing.refuse()
    backend.loader.engine()
    refuse_scale_of_others(backend, lesson.role_id, lesson.roi_id, lesson.mm_per_px)
    sources = _sources(backend, lesson)
    report(0.0, "read")
    frames = _check_all(backend, sources, report)
    recipe = backend.recipe(typical_side(frames))
    teaching = teaching_for(backend.settings, recipe, memory_fit=lesson.memory_fit)
    fitting = Fitting(
        backend.loader.engine(),
        recipe,
        len(sources),
        _loader(backend, sources, recipe),
        backend.worker.run,
        report,
        watch,
    )
    fitted = patchcore.fit(fitting, teaching)
    description = describe(fitted, recipe, frames, lesson.mm_per_px, teaching.coreset_rate)
    report(0.99, "write")
    backend.freezing.refuse()  # somebody may have frozen while this was computed
    before = backend.models.current_or_none(lesson.role_id, lesson.roi_id)
    with watch("write"):
        version = backend.models.publish(lesson.role_id, lesson.roi_id, model.arrays(fitted), description.to_json())
        if not lesson.stage:
            backend.models.activate(lesson.role_id, lesson.roi_id, version)
    backend.note(
        "fit",
        {"role_id": lesson.role_id, "roi_id": lesson.roi_id},
        old={"model_version": before},
        new={"model_version": version, "active": not lesson.stage, "n_images": fitted.n_images},
    )
    log.info("fitted", extra={"role_id": lesson.role_id, "roi_id": lesson.roi_id, "model_version": version})
    return FitAnswer(
        n_images=fitted.n_images,
        n_embeddings=fitted.n_embeddings,
        coreset_size=len(fitted.bank.vectors),
        token_shape=frames[0].view(recipe).grid,
        coreset_rate_requested=teaching.coreset_rate,
        coreset_rate_applied=description.coreset_rate_applied,
        model_version=version,
        active=not lesson.stage,
        ok_scores=list(description.ok_scores),
        duration_s=round(time.perf_counter() - started, 3),
        stages_s={stage: round(seconds, 3) for stage, seconds in watch.seconds.items()},
    )


def teaching_for(settings: Settings, recipe: Recipe, *, memory_fit: bool) -> Teaching:
    if memory_fit:
        return Teaching(coreset_rate=1.0, dims=recipe.dims, keep_all=True)
    if settings.coreset_rate:  # somebody's own rate is taken at its word
        return Teaching(coreset_rate=settings.coreset_rate, min_bank=1, dims=recipe.dims)
    return Teaching(dims=recipe.dims)


def describe(
    fitted: Fitted, recipe: Recipe, frames: list[TaughtPicture], mm_per_px: float, rate_requested: float
) -> Description:
    scores = held_out_scores(fitted.held_out, recipe, frames, mm_per_px, DEFAULT_AREA_MM2)
    inside = [distances[frame.view(recipe).patches] for distances, frame in zip(fitted.held_out, frames, strict=False)]
    return Description(
        recipe=recipe,
        mm_per_px=mm_per_px,
        coreset_rate_requested=rate_requested,
        coreset_rate_applied=len(fitted.bank.vectors) / fitted.n_embeddings,
        n_embeddings=fitted.n_embeddings,
        created_utc=datetime.now(UTC).isoformat(),
        ok_scores=tuple(scores),
        calm_level=float(np.median(np.concatenate(inside))) if scores else 0.0,
        uncalibrated_scale=float(np.percentile(scores, 99)) if scores else 1.0,
        pictures=tuple(frames),
    )


def held_out_scores(
    held_out: list[np.ndarray], recipe: Recipe, frames: list[TaughtPicture], mm_per_px: float, area_mm2: float
) -> list[float]:
    """Out-of-sample score of every good picture, from its distances float32 (gh, gw)."""
    return [
        measure(distances, frame.view(recipe), mm_per_px, area_mm2).score
        for distances, frame in zip(held_out, frames, strict=False)
    ]


def _sources(backend: Backend, lesson: Lesson) -> list[_Source]:
    if lesson.images is not None:
        if not lesson.images:
            raise InvalidField("images: none given; send good pictures, or use_dataset=true.")
        return [_Source(name, lambda data=data: data, lesson.shape) for name, data in lesson.images]  # type: ignore[misc]
    role_id, roi_id = lesson.role_id, lesson.roi_id
    sources = []
    for sample in backend.datasets.samples(role_id, roi_id, "ok"):
        refuse_other_scale(sample.mm_per_px, lesson.mm_per_px, f"sample {sample.filename} has")
        shape = lesson.shape or parse_shape(json.dumps(sample.shape) if sample.shape else None)
        name = sample.filename
        read = partial(backend.datasets.picture, role_id, roi_id, "ok", name)
        sources.append(_Source(name, read, shape, sample=name))
    if not sources:
        raise InvalidField(f"use_dataset: {role_id}/{roi_id} has no OK samples; POST /datasets/ok/upload first.")
    return sources


def typical_side(frames: list[TaughtPicture]) -> float:
    """Median side in pixels of what is inspected of the pictures. Raises InvalidShape."""
    return float(np.median([roi_side(frame.shape, frame.height, frame.width) for frame in frames]))


def _check_all(backend: Backend, sources: list[_Source], report: Report) -> list[TaughtPicture]:
    """Decode every picture before any work: one bad picture is named at once, not after minutes."""
    frames = []
    for source in sources:
        report(0.0, "read")
        image = decode(source.read(), max_mpx=backend.settings.max_image_mpx, name=source.name)
        frame = TaughtPicture(width=image.shape[1], height=image.shape[0], shape=source.shape, name=source.sample)
        roi_side(frame.shape, frame.height, frame.width)
        frames.append(frame)
    return frames


def _loader(backend: Backend, sources: list[_Source], recipe: Recipe) -> Callable[[int], Good]:
    kept: dict[int, Good] = {}

    def load(index: int) -> Good:
        if index in kept:
            return kept[index]
        source = sources[index]
        image = decode(source.read(), max_mpx=backend.settings.max_image_mpx, name=source.name)
        view = TaughtPicture(image.shape[1], image.shape[0], source.shape).view(recipe)
        good = Good(view.picture(image), view)
        if len(kept) < KEEP_PICTURES:
            kept[index] = good
        return good

    return load
