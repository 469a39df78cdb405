"""The parts a use case works with, made once in `__main__` and handed over; what they say about themselves."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import sqlalchemy as sa
from filelock import Timeout

from service import __version__, caller
from service.engine.device import DeviceWorker
from service.engine.loader import EngineLoader
from service.engine.protocol import Engine, PlacedBank, Recipe
from service.errors import NotReady
from service.jobs import Jobs
from service.key_ring import KeyRing
from service.loaded.layout_loading import load_layout
from service.loaded.layouts import LayoutCache
from service.loaded.models import LoadedModel, ModelCache
from service.loaded.scores import Remembered
from service.metrics import Metrics
from service.operations.note_settings import note_settings
from service.settings import SETTINGS_FILE, Settings
from service.stopwatch import Stopwatch
from service.store.audit.log import Audit
from service.store.backups.make import Backups
from service.store.backups.restore import SERVICE_LOCK, sweep_restore
from service.store.files import leader_lock, sweep_orphans
from service.store.layouts import Layouts
from service.store.models import Models
from service.store.pictures.archive import Archive
from service.store.pictures.retention import Retention, Rules
from service.store.records.database import open_database
from service.store.records.frames import Frames
from service.store.records.inspections import Records
from service.store.records.summaries import Summaries
from service.store.samples import Datasets
from service.store.state.freeze import Freezing
from service.store.state.log_files import LogFiles
from service.store.state.settings_file import SettingsFile

# Scores of stored samples that are not computed twice: those of some hundred samples by some hundred versions.
KNOWN_SCORES = 50_000


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


def _nobody_listens() -> None:
    raise NotReady("Start the service again: nothing here does it by itself.")


def backups_of(settings: Settings) -> Backups:
    return Backups(settings.data_root, __version__, settings.backup_dir, settings.min_free_mb * 1_000_000)


def retention_of(settings: Settings, database: sa.Engine) -> Retention:
    max_bytes = settings.keep_mb * 1_000_000
    rules = Rules(settings.keep_ok_days, settings.keep_ng_days, max_bytes, settings.keep_free_percent)
    return Retention(settings.data_root, database, rules)


class Backend:
    """Everything alive in one service process. `close` ends its threads in the order that loses nothing."""

    def __init__(
        self, settings: Settings, build_engine: Callable[[], Engine], start_anew: Callable[[], None] = _nobody_listens
    ) -> None:
        """`start_anew` ends this process's server so that a restored state takes its place; it returns at once."""
        self.settings = settings
        self.start_anew = start_anew
        self.started = time.monotonic()
        settings.data_root.mkdir(parents=True, exist_ok=True)
        self.datasets = Datasets(settings.data_root)
        self.models = Models(settings.data_root)
        self.layouts = Layouts(settings.data_root)
        self.layout_cache = LayoutCache(self.layouts.stamp, partial(load_layout, self.layouts))
        self.datasets.sweep()
        self.models.sweep()
        self.layouts.sweep()
        self._database: sa.Engine = open_database(settings.data_root / "records.sqlite")
        self.records = Records(self._database)
        self.frames = Frames(self._database)
        self.summaries = Summaries(self._database)
        self.jobs = Jobs(self._database)
        self.audit = Audit(settings.data_root)
        self.freezing = Freezing(settings.data_root)
        self.settings_file = SettingsFile(settings.data_root / SETTINGS_FILE)
        self.keys = KeyRing(settings, self.settings_file)
        self.logs = LogFiles(settings.data_root / "logs")
        self.backups = backups_of(settings)
        self.backups.sweep()
        sweep_restore(settings.data_root)
        sweep_orphans(settings.data_root)
        self.retention = retention_of(settings, self._database)
        self.archive = Archive(settings.data_root, settings.min_free_mb * 1_000_000)
        self.metrics = Metrics(several_processes=settings.workers > 1)
        if newest := self.backups.outcome().last_success_utc:
            self.metrics.backed_up(datetime.fromisoformat(newest).timestamp())
        self.loader = EngineLoader(build_engine)
        self.worker: DeviceWorker[Look, Seen] = DeviceWorker(
            self._look, queue_size=settings.queue_size, batch_size=settings.batch_size
        )
        self.cache = ModelCache(
            self.models, self.loader.engine, self.worker.run, self.metrics, settings.models_in_memory
        )
        self.known_scores: Remembered[tuple[float, ...]] = Remembered(KNOWN_SCORES)
        self.known_suspects: Remembered[tuple[int, ...]] = Remembered(KNOWN_SCORES)
        self._ok_count = 0
        self._ok_lock = threading.Lock()
        self._in_use = leader_lock(settings.data_root / SERVICE_LOCK)
        with suppress(Timeout):  # one of several workers holds it for all
            self._in_use.acquire()

    def start(self) -> None:
        note_settings(self.audit, self.settings)
        self.loader.start()

    def close(self) -> None:
        self.loader.close()
        self.jobs.close()
        self.worker.close()
        self.records.close()
        self.archive.close()
        self._database.dispose()
        self._in_use.release()

    def recipe(self, roi_side: float) -> Recipe:
        """How a new model of ROI pictures of that side embeds. Raises NotReady while the engine loads."""
        return self.loader.engine().recipe(self.settings.backbone, self.settings.input_size, roi_side)

    def distances(self, model: LoadedModel, picture: np.ndarray, inside: np.ndarray, watch: Stopwatch) -> np.ndarray:
        """Distances float32 (gh, gw) of a picture to a model's bank. Raises QueueFull, TooLate, DeviceLost."""
        return self.distances_of([Look(model.description.recipe, picture, inside, model.placed)], watch)[0]

    def distances_of(self, looks: Sequence[Look], watch: Stopwatch) -> list[np.ndarray]:
        """As `distances`, for pictures that belong together: those of one recipe and size share a forward pass."""
        started = time.perf_counter()
        asked = [((look.recipe, look.picture.shape), look) for look in looks]
        seen = self.worker.compute_all(asked, self.settings.infer_timeout_s)
        batches = {id(one.ms): one.ms for one in seen}.values()  # pictures of one batch share its times
        waited_s = time.perf_counter() - started - sum(sum(ms.values()) for ms in batches) / 1e3
        watch.seconds |= {"queue": max(0.0, waited_s)}
        for ms in batches:
            for stage, value in ms.items():
                watch.seconds[stage] = watch.seconds.get(stage, 0.0) + value / 1e3
        return [one.distances for one in seen]

    def distances_in_turn(self, model: LoadedModel, picture: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """As `distances`, for a long job: when no inspection waits, however long that takes."""
        look = Look(model.description.recipe, picture, inside, model.placed)
        return self.worker.run(lambda: self._look([look]))[0].distances

    def keeps_picture(self, verdict: str | None) -> bool:
        """Every NG, every uncalibrated, every n-th OK."""
        if verdict != "OK":
            return True
        with self._ok_lock:
            self._ok_count += 1
            every = self.settings.archive_ok_every
            return every > 0 and self._ok_count % every == 0

    def note(self, action: str, target: dict[str, object], *, old: object = None, new: object = None) -> None:
        """One line in the audit log, by whoever asks now. Raises DiskFull, Conflict."""
        self.audit.append(
            action,
            by=caller.name(),
            station=caller.station.get(),
            request_id=caller.request_id.get(),
            target=target,
            old=old,
            new=new,
        )

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
        ms = watch.ms
        return [Seen(distances, ms) for distances in found]
