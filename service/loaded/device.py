"""The device and the models on it: pictures are queued, embedded together and compared each with its own bank."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from service.engine.device import DeviceWorker
from service.engine.loader import EngineLoader
from service.engine.protocol import Engine, PlacedBank, Recipe
from service.loaded.models import ModelCache
from service.metrics import Metrics
from service.settings import Settings
from service.stopwatch import Stopwatch
from service.store.models import Models


@dataclass(frozen=True, eq=False)
class Comparison:
    """One picture for the device: uint8 RGB (h, w, 3), bool (gh, gw) patches to compare, and the bank for them."""

    recipe: Recipe
    picture: np.ndarray
    inside: np.ndarray
    placed: PlacedBank


@dataclass(frozen=True, eq=False)
class Compared:
    """Distances float32 (gh, gw), and the milliseconds the device needed for the batch this picture was in."""

    distances: np.ndarray
    ms: dict[str, float]


class Device:
    """Engine, queue and loaded models of one process."""

    def __init__(
        self, settings: Settings, build_engine: Callable[[], Engine], stored: Models, metrics: Metrics
    ) -> None:
        self.settings, self.metrics = settings, metrics
        self.loader = EngineLoader(build_engine)
        self.worker: DeviceWorker[Comparison, Compared] = DeviceWorker(
            lambda asked: compare(self.loader.engine(), asked),
            queue_size=settings.queue_size,
            batch_size=settings.batch_size,
        )
        self.models = ModelCache(stored, self.loader.engine, self.worker.run, metrics, settings.models_in_memory)

    def recipe(self, roi_side: float) -> Recipe:
        """How a new model of ROI pictures of that side embeds. Raises NotReady while the engine loads."""
        return self.loader.engine().recipe(self.settings.backbone, self.settings.input_size, roi_side)

    def distances(self, asked: Sequence[Comparison], watch: Stopwatch, *, in_turn: bool = False) -> list[np.ndarray]:
        """Distances float32 (gh, gw) of each picture to its bank. Pictures of one recipe and size share a forward pass.

        `in_turn`: for a long job, when no inspection waits, however long that takes.
        Raises QueueFull, TooLate, DeviceLost.
        """
        if in_turn:
            compared = self.worker.run(lambda: compare(self.loader.engine(), asked))
        else:
            started = time.perf_counter()
            keyed = [((one.recipe, one.picture.shape), one) for one in asked]
            compared = self.worker.compute_all(keyed, self.settings.infer_timeout_s)
            self._add_times(compared, time.perf_counter() - started, watch)
        return [one.distances for one in compared]

    @staticmethod
    def _add_times(compared: Sequence[Compared], elapsed_s: float, watch: Stopwatch) -> None:
        batches = {id(one.ms): one.ms for one in compared}.values()  # pictures of one batch share its times
        watch.seconds["queue"] = max(0.0, elapsed_s - sum(sum(ms.values()) for ms in batches) / 1e3)
        for ms in batches:
            for stage, value in ms.items():
                watch.seconds[stage] = watch.seconds.get(stage, 0.0) + value / 1e3


def compare(engine: Engine, asked: Sequence[Comparison]) -> list[Compared]:
    """One forward pass for pictures of one recipe and size, then each against its own bank. On the device's thread."""
    watch = Stopwatch()
    with watch("embed"):
        patches = engine.embed(asked[0].recipe, [one.picture for one in asked])
    with watch("neighbours"):
        found = engine.distances(patches, [one.placed for one in asked], [one.inside for one in asked])
    ms = watch.ms
    return [Compared(distances, ms) for distances in found]
