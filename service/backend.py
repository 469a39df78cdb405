"""The parts a use case works with, made once in `__main__` and handed over; what they say about themselves."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from service import __version__
from service.cache import LoadedModel, ModelCache
from service.contract import Health, Latency
from service.device_worker import DeviceWorker
from service.engine import Engine, PlacedBank, Recipe
from service.jobs import Jobs
from service.loading import EngineLoader
from service.metrics import Metrics
from service.settings import Settings
from service.stopwatch import Stopwatch
from service.store.archive import Archive
from service.store.database import open_database
from service.store.datasets import Datasets
from service.store.models import Models
from service.store.records import Records


@dataclass(frozen=True)
class Look:
    """One picture for the device: uint8 RGB (h, w, 3), bool (gh, gw) patches to compare, and the bank for them."""

    recipe: Recipe
    picture: np.ndarray
    inside: np.ndarray
    placed: PlacedBank


@dataclass(frozen=True)
class Seen:
    """Distances float32 (gh, gw), and the milliseconds the device needed for the batch this picture was in."""

    distances: np.ndarray
    ms: dict[str, float]


class Backend:
    """Everything alive in one service process. `close` ends its threads in the order that loses nothing."""

    def __init__(self, settings: Settings, build_engine: Callable[[], Engine]) -> None:
        self.settings = settings
        self.started = time.monotonic()
        settings.data_root.mkdir(parents=True, exist_ok=True)
        self.datasets = Datasets(settings.data_root)
        self.models = Models(settings.data_root)
        self.datasets.sweep()
        self.models.sweep()
        self._database: sa.Engine = open_database(settings.data_root / "records.sqlite")
        self.records = Records(self._database)
        self.jobs = Jobs(self._database)
        self.archive = Archive(settings.data_root, settings.min_free_mb * 1_000_000)
        self.metrics = Metrics(several_processes=settings.workers > 1)
        self.loader = EngineLoader(build_engine)
        self.worker: DeviceWorker[Look, Seen] = DeviceWorker(
            self._look, queue_size=settings.queue_size, batch_size=settings.batch_size
        )
        self.cache = ModelCache(
            self.models, self.loader.engine, self.worker.run, self.metrics, settings.models_in_memory
        )
        self._ok_count = 0
        self._ok_lock = threading.Lock()

    def start(self) -> None:
        self.loader.start()

    def close(self) -> None:
        self.loader.close()
        self.jobs.close()
        self.worker.close()
        self.records.close()
        self.archive.close()
        self._database.dispose()

    def recipe(self, roi_side: float) -> Recipe:
        """How a new model of ROI pictures of that side embeds. Raises NotReady while the engine loads."""
        return self.loader.engine().recipe(self.settings.backbone, self.settings.input_size, roi_side)

    def distances(self, model: LoadedModel, picture: np.ndarray, inside: np.ndarray, watch: Stopwatch) -> np.ndarray:
        """Distances float32 (gh, gw) of a picture to a model's bank. Raises QueueFull, TooLate, DeviceLost."""
        look = Look(model.description.recipe, picture, inside, model.placed)
        started = time.perf_counter()
        seen = self.worker.compute((look.recipe, picture.shape), look, self.settings.infer_timeout_s)
        waited_s = time.perf_counter() - started - sum(seen.ms.values()) / 1e3
        watch.seconds |= {"queue": max(0.0, waited_s)} | {stage: ms / 1e3 for stage, ms in seen.ms.items()}
        return seen.distances

    def keeps_picture(self, verdict: str | None) -> bool:
        """Every NG, every uncalibrated, every n-th OK."""
        if verdict != "OK":
            return True
        with self._ok_lock:
            self._ok_count += 1
            every = self.settings.archive_ok_every
            return every > 0 and self._ok_count % every == 0

    def disk_free(self) -> int:
        """Bytes; 0 when the data root is gone."""
        try:
            return shutil.disk_usage(self.settings.data_root).free
        except OSError:
            return 0

    def _look(self, looks: Sequence[Look]) -> list[Seen]:
        """On the device thread: one forward pass for all, then each against its own bank."""
        engine, watch = self.loader.engine(), Stopwatch()
        with watch("embed"):
            patches = engine.embed(looks[0].recipe, [look.picture for look in looks])
        with watch("neighbours"):
            found = engine.distances(patches, [look.placed for look in looks], [look.inside for look in looks])
        return [Seen(distances, watch.ms) for distances in found]


def health(backend: Backend) -> Health:
    """Answers whatever is missing; the caller turns `loading` and `error` into 503."""
    state, problems = backend.loader.state, backend.cache.problems()
    if not backend.settings.data_root.is_dir():
        state = "error"
        problems.insert(0, f"The data root {backend.settings.data_root} is gone: plug its disk in again, or restart.")
    elif backend.disk_free() < backend.settings.min_free_mb * 1_000_000:
        problems.append("Free disk space is under BACKEND_MIN_FREE_MB: pictures are no longer kept.")
    p50, p95 = backend.metrics.latency_ms()
    ready = state == "ready"
    engine = backend.loader.engine() if backend.loader.state == "ready" else None
    if engine and (lost := engine.lost()):
        state, ready = "error", False
        problems.insert(0, lost)
    return Health(
        status="degraded" if ready and problems else "ok" if ready else "error" if state == "error" else "loading",
        reason=(" ".join(problems) or None) if engine else backend.loader.reason,
        device=engine.device if engine else "cpu" if backend.settings.device == "auto" else backend.settings.device,
        device_name=engine.device_name if engine else "",
        model=engine.default_backbone if engine else backend.settings.backbone,
        version=__version__,
        gpu_mem_mb=engine.memory_mb() if engine else 0.0,
        models_loaded=len(backend.cache),
        uptime_s=round(time.monotonic() - backend.started, 1),
        training_frozen=False,
        latency_infer_ms=Latency(p50=p50, p95=p95),
    )
