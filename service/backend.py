"""What one service process is made of, in the groups that use cases ask for; `__main__` composes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from filelock import BaseFileLock

from service import caller
from service.jobs import Jobs
from service.keys import KeyRing
from service.loaded.device import Device
from service.loaded.layouts import LayoutCache
from service.loaded.scores import Remembered
from service.settings import Settings
from service.store.audit.log import Audit
from service.store.backups.make import Backups
from service.store.layouts import Layouts
from service.store.models import Models
from service.store.pictures.archive import Archive
from service.store.pictures.retention import Retention
from service.store.records.frames import Frames
from service.store.records.inspections import Records
from service.store.records.summaries import Summaries
from service.store.samples import Samples
from service.store.state.freeze import Freezing
from service.store.state.log_files import LogFiles
from service.store.state.settings_file import SettingsFile
from service.vision.images import decode

__all__ = ["Backend", "Device", "Kept", "People", "Upkeep"]


@dataclass(frozen=True, eq=False)
class Kept:
    """What is on disk, and what of it is remembered: samples, models, layouts, records, pictures."""

    settings: Settings
    samples: Samples
    models: Models
    layouts: Layouts
    loaded_layouts: LayoutCache
    database: sa.Engine
    records: Records
    frames: Frames
    summaries: Summaries
    archive: Archive
    known_scores: Remembered[tuple[float, ...]]
    known_suspects: Remembered[tuple[int, ...]]

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """RGB uint8 (h, w, 3) of a picture, within BACKEND_MAX_IMAGE_MPX. Raises what `images.decode` does."""
        return decode(data, max_mpx=self.settings.max_image_mpx, name=name)

    def disk_free(self) -> int:
        """Bytes; 0 when the data root is gone."""
        try:
            return shutil.disk_usage(self.settings.data_root).free
        except OSError:
            return 0


@dataclass(frozen=True, eq=False)
class People:
    """Who may do what, and who did: API keys, the freeze of training, the audit log."""

    keys: KeyRing
    freezing: Freezing
    audit: Audit

    def note(self, action: str, target: dict[str, object], *, old: object = None, new: object = None) -> None:
        """One line in the audit log, in the name of the caller. Raises DiskFull, Conflict."""
        self.audit.append(
            action, by=caller.name(), station=caller.station.get(), request_id=caller.request_id.get(),
            target=target, old=old, new=new,
        )  # fmt: skip


@dataclass(eq=False)
class Upkeep:
    """What keeps the installation in order. `restart` ends this process's server so that a new one takes its place; it
    returns at once. `started`: on the monotonic clock."""

    settings: Settings
    settings_file: SettingsFile
    jobs: Jobs
    backups: Backups
    retention: Retention
    logs: LogFiles
    restart: Callable[[], None]
    started: float


@dataclass(frozen=True, eq=False)
class Backend:
    """Everything alive in one service process. `in_use`: held while this process, or one of its siblings, serves."""

    settings: Settings
    device: Device
    kept: Kept
    people: People
    upkeep: Upkeep
    in_use: BaseFileLock

    def close(self) -> None:
        """End all threads, in the order that loses nothing."""
        self.device.loader.close()
        self.upkeep.jobs.close()
        self.device.worker.close()
        self.kept.records.close()
        self.kept.archive.close()
        self.kept.database.dispose()
        self.in_use.release()
