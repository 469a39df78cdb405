"""One picture against one model: where every verdict, score, re-run, verification and evaluation comes from.

`examine` does it for one picture. Whoever has several that belong together prepares them all, asks the device once, and
concludes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from service.backend import Device, Kept
from service.contract.shapes import Shape, shape_from
from service.errors import InvalidShape, NotCalibrated
from service.loaded.device import Comparison
from service.loaded.models import LoadedModel
from service.stopwatch import Stopwatch
from service.store.samples import Sample, refuse_other_scale
from service.vision.level import levelled
from service.vision.network_view import NetworkView, network_view
from service.vision.verdict import Judged, Measured, judge, measure

TAUGHT_WITH = "the model of this ROI was taught with"


class Compares(Protocol):
    """What computes distances: the device of a service, or an engine by itself."""

    def distances(
        self, asked: Sequence[Comparison], watch: Stopwatch, *, in_turn: bool = False
    ) -> list[np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """How a picture is shown to a model's network, and what the device is asked."""

    model: LoadedModel
    view: NetworkView
    comparison: Comparison


@dataclass(frozen=True, eq=False)
class Examined:
    """`judged` is None without a threshold: there is a score and no verdict."""

    view: NetworkView
    measured: Measured
    threshold: float | None
    judged: Judged | None

    @property
    def score(self) -> float:
        return self.measured.score


def examine(
    device: Compares, model: LoadedModel, image_rgb: np.ndarray, shape: Shape | None, watch: Stopwatch | None = None,
    *, area_mm2: float | None = None, in_turn: bool = False,
) -> Examined:  # fmt: skip
    """Score and verdict of an ROI picture uint8 (h, w, 3); `shape` None: all of it is inspected.

    `area_mm2`: another than the area in force. `in_turn`: for a long job, between inspections.
    Raises InvalidShape, EngineFailed, what the device does.
    """
    watch = watch or Stopwatch()
    with watch("view"):
        prepared = prepare(model, image_rgb, shape)
    [distances] = device.distances([prepared.comparison], watch, in_turn=in_turn)
    return conclude(prepared, distances, watch, area_mm2)


def prepare(model: LoadedModel, image_rgb: np.ndarray, shape: Shape | None) -> Prepared:
    """Crop, scale and mask as the model was taught. Raises InvalidShape."""
    recipe = model.description.recipe
    view = network_view(shape, *image_rgb.shape[:2], recipe.input_size, recipe.stride)
    return Prepared(model, view, Comparison(recipe, view.picture(image_rgb), view.patches, model.placed))


def conclude(prepared: Prepared, distances: np.ndarray, watch: Stopwatch, area_mm2: float | None = None) -> Examined:
    """From distances float32 (gh, gw) to score and verdict. Raises EngineFailed when one is not a number."""
    model, view = prepared.model, prepared.view
    mm_per_px, threshold = model.description.mm_per_px, model.threshold
    with watch("map"):
        distances = levelled(distances, view.patches, model.description.level)
        measured = measure(distances, view, mm_per_px, model.area_mm2 if area_mm2 is None else area_mm2)
    with watch("judge"):
        judged = judge(measured, view, mm_per_px, threshold) if threshold is not None else None
    return Examined(view, measured, threshold, judged)


def examine_sample(
    device: Device, kept: Kept, model: LoadedModel, sample: Sample, area_mm2: float | None = None
) -> Examined:
    """A stored sample, as an inspection would see it. Raises ScaleMismatch, SampleDamaged, what `examine` does."""
    refuse_other_scale(model.description.mm_per_px, sample.mm_per_px, TAUGHT_WITH, f"sample {sample.filename}")
    data = kept.samples.picture(sample.role_id, sample.roi_id, sample.label, sample.filename)
    image_rgb = kept.decode(data, sample.filename)
    shape = shape_in_force(model, image_rgb, shape_from(sample.shape))
    return examine(device, model, image_rgb, shape, area_mm2=area_mm2)


def serving_model(device: Device, role_id: str, roi_id: str, mm_per_px: float) -> LoadedModel:
    """Raises MemoryNotFitted, ScaleMismatch."""
    model = device.models.get(role_id, roi_id)
    refuse_other_scale(model.description.mm_per_px, mm_per_px, TAUGHT_WITH)
    return model


def refuse_uncalibrated(model: LoadedModel, role_id: str, roi_id: str, hint: str = "") -> None:
    """Raises NotCalibrated."""
    if model.calibration is None:
        raise NotCalibrated(
            f"Version {model.version} of {role_id}/{roi_id} is not calibrated: run POST /calibrate_ng{hint}."
        )


def shape_in_force(model: LoadedModel, image_rgb: np.ndarray, shape: Shape | None) -> Shape | None:
    """The shape given or, without one, the one the model was taught with, for pictures of the size it was taught with.

    Raises InvalidShape.
    """
    pictures, (height, width) = model.description.pictures, image_rgb.shape[:2]
    taught = pictures[0]
    if shape is not None:
        return shape
    if any(picture.shape != taught.shape for picture in pictures):
        raise InvalidShape("shape: this ROI was taught with several shapes: send the one of this picture.")
    if taught.shape is not None and (taught.width, taught.height) != (width, height):
        raise InvalidShape(
            f"shape: this ROI was taught with a {taught.shape.kind} in {taught.width}x{taught.height} pictures, "
            f"this one has {width}x{height}: send the shape."
        )
    return taught.shape
