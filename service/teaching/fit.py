"""Teach an ROI: good pictures in, a new version of its model out, with its out-of-sample scores."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np

from service.backend import Device, Kept, People
from service.contract.models import FitAnswer
from service.contract.shapes import Shape, shape_from
from service.engine import patchcore
from service.engine.patchcore import Fitted, Fitting, Good, Teaching
from service.engine.protocol import Recipe
from service.errors import InvalidField
from service.loaded import description as model
from service.loaded.description import Description, TaughtPicture
from service.loaded.scale import refuse_scale_of_others
from service.progress import Report
from service.settings import Settings
from service.stopwatch import Stopwatch
from service.store.samples import part_id_of, refuse_other_scale
from service.vision.network_view import roi_side
from service.vision.verdict import DEFAULT_AREA_MM2, measure

log = logging.getLogger(__name__)
# Network pictures kept between the two passes of a fit, and bytes of decoded ones from the check to the first pass:
# 160 pictures of a megapixel.
KEEP_PICTURES, KEEP_BYTES = 1000, 500_000_000


@dataclass(frozen=True)
class Lesson:
    """What /fit_ok is asked. `images` are (name, bytes); None: the ROI's stored OK samples.

    `part_ids` aligned to images, "" for a part nobody named; none at all: nobody named any.
    """

    role_id: str
    roi_id: str
    mm_per_px: float
    images: list[tuple[str, bytes]] | None
    shape: Shape | None = None
    part_ids: Sequence[str] = ()
    memory_fit: bool = False
    stage: bool = False


@dataclass(frozen=True)
class _Source:
    """One good picture: its name, how to read its bytes, its shape; `sample`: its file name when it is stored.

    `part_id`: of the part that it shows, "" when nobody said.
    """

    name: str
    read: Callable[[], bytes]
    shape: Shape | None
    sample: str = ""
    part_id: str = ""


def teach(device: Device, kept: Kept, people: People, lesson: Lesson, report: Report) -> FitAnswer:
    """Fit, publish and, unless only staged, activate a new version.

    Raises TrainingFrozen, ScaleMismatch, InvalidField (no pictures), what `decode` raises (naming the picture),
    Cancelled, DiskFull.
    """
    started, watch = time.perf_counter(), Stopwatch()
    people.freezing.refuse()
    device.loader.engine()
    refuse_scale_of_others(kept.samples, device.models, lesson.role_id, lesson.roi_id, lesson.mm_per_px)
    sources = _sources(kept, lesson)
    report(0.0, "read")
    reader = _Reader(kept, sources)
    pictures = reader.check_all(report)
    recipe = device.recipe(typical_side(pictures))
    teaching = teaching_for(kept.settings, recipe, memory_fit=lesson.memory_fit)
    fitting = Fitting(
        device.loader.engine(),
        recipe,
        len(sources),
        partial(reader.load, recipe),
        device.worker.run,
        report,
        watch,
        [picture.part_id for picture in pictures],
    )
    fitted = patchcore.fit(fitting, teaching)
    description = describe(fitted, recipe, pictures, lesson.mm_per_px, teaching.coreset_rate)
    report(0.99, "write")
    people.freezing.refuse()  # somebody may have frozen while this was computed
    before = kept.models.current_or_none(lesson.role_id, lesson.roi_id)
    with watch("write"):
        version = kept.models.publish(lesson.role_id, lesson.roi_id, model.arrays(fitted), description.to_json())
        if not lesson.stage:
            kept.models.activate(lesson.role_id, lesson.roi_id, version)
    people.note(
        "fit",
        {"role_id": lesson.role_id, "roi_id": lesson.roi_id},
        old={"model_version": before},
        new={"model_version": version, "active": not lesson.stage, "n_images": fitted.n_images},
    )
    log.info("fitted", extra={"role_id": lesson.role_id, "roi_id": lesson.roi_id, "model_version": version})
    return FitAnswer(
        n_images=fitted.n_images,
        n_parts=len(set(fitted.parts.tolist())),
        n_embeddings=fitted.n_embeddings,
        coreset_size=len(fitted.bank.vectors),
        token_shape=pictures[0].view(recipe).grid,
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
    fitted: Fitted, recipe: Recipe, pictures: list[TaughtPicture], mm_per_px: float, rate_requested: float
) -> Description:
    scores = held_out_scores(fitted.held_out, recipe, pictures, mm_per_px, DEFAULT_AREA_MM2)
    inside = [
        distances[picture.view(recipe).patches] for distances, picture in zip(fitted.held_out, pictures, strict=False)
    ]
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
        pictures=tuple(pictures),
        parts=tuple(fitted.parts.tolist()) if scores else (),
        level=fitted.level,
    )


def held_out_scores(
    held_out: list[np.ndarray], recipe: Recipe, pictures: list[TaughtPicture], mm_per_px: float, area_mm2: float
) -> list[float]:
    """Out-of-sample score of every good picture, from its distances float32 (gh, gw)."""
    return [
        measure(distances, picture.view(recipe), mm_per_px, area_mm2).score
        for distances, picture in zip(held_out, pictures, strict=False)
    ]


def _sources(kept: Kept, lesson: Lesson) -> list[_Source]:
    if lesson.images is not None:
        if not lesson.images:
            raise InvalidField("images: none given; send good pictures, or use_dataset=true.")
        if lesson.part_ids and len(lesson.part_ids) != len(lesson.images):
            raise InvalidField(f"part_ids: {len(lesson.part_ids)} for {len(lesson.images)} images; send one for each.")
        part_ids = lesson.part_ids or [""] * len(lesson.images)
        return [
            _Source(name, lambda data=data: data, lesson.shape, part_id=part_id)  # type: ignore[misc]
            for (name, data), part_id in zip(lesson.images, part_ids, strict=True)
        ]
    role_id, roi_id = lesson.role_id, lesson.roi_id
    sources = []
    for sample in kept.samples.samples(role_id, roi_id, "ok"):
        refuse_other_scale(sample.mm_per_px, lesson.mm_per_px, f"sample {sample.filename} has")
        shape = lesson.shape or shape_from(sample.shape)
        name = sample.filename
        read = partial(kept.samples.picture, role_id, roi_id, "ok", name)
        sources.append(_Source(name, read, shape, name, part_id_of(sample)))
    if not sources:
        raise InvalidField(f"use_dataset: {role_id}/{roi_id} has no OK samples; POST /datasets/ok/upload first.")
    return sources


def typical_side(pictures: list[TaughtPicture]) -> float:
    """Median side in pixels of the inspected areas of the pictures. Raises InvalidShape."""
    return float(np.median([roi_side(picture.shape, picture.height, picture.width) for picture in pictures]))


class _Reader:
    """Pictures of a fit, which needs each twice: to check all before any work, and to teach from it.

    What was decoded for the check waits in memory up to KEEP_BYTES, network pictures up to KEEP_PICTURES; what is not
    there any more is read and decoded again.
    """

    def __init__(self, kept: Kept, sources: list[_Source]) -> None:
        self._kept, self._sources, self._room = kept, sources, KEEP_BYTES
        self._decoded: dict[int, np.ndarray] = {}
        self._good: dict[int, Good] = {}

    def check_all(self, report: Report) -> list[TaughtPicture]:
        """Decode every picture before any work: one bad picture is named at once, not after minutes."""
        pictures = []
        for index, source in enumerate(self._sources):
            report(0.0, "read")
            image = self._decode(source)
            picture = TaughtPicture(image.shape[1], image.shape[0], source.shape, source.sample, source.part_id)
            roi_side(picture.shape, picture.height, picture.width)
            pictures.append(picture)
            if image.nbytes <= self._room:
                self._decoded[index] = image
                self._room -= image.nbytes
        return pictures

    def load(self, recipe: Recipe, index: int) -> Good:
        if index in self._good:
            return self._good[index]
        source, image = self._sources[index], self._decoded.pop(index, None)
        if image is None:
            image = self._decode(source)
        view = TaughtPicture(image.shape[1], image.shape[0], source.shape).view(recipe)
        good = Good(view.picture(image), view)
        if len(self._good) < KEEP_PICTURES:
            self._good[index] = good
        return good

    def _decode(self, source: _Source) -> np.ndarray:
        return self._kept.decode(source.read(), source.name)
