"""Make a backup, or bring one back, while inspections go on."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from service import __version__
from service.backend import Device, People, Upkeep
from service.progress import Report
from service.settings import Settings
from service.store.backups.make import Backups, Made, backups_lock
from service.store.backups.restore import FORMER, stage, stage_former

# Of the time it works, a backup rests as long: the cores and the disk belong to the inspections.
REST = 1.0


def backups_of(settings: Settings) -> Backups:
    """Of an installation, whether its service runs or not."""
    return Backups(settings.data_root, __version__, settings.backup_dir, settings.min_free_mb * 1_000_000)


def back_up(device: Device, upkeep: Upkeep, report: Report) -> dict[str, Any]:
    """Raises DiskFull, BackupFailed, Conflict."""
    made = upkeep.backups.make(gently(report))
    device.metrics.backed_up(datetime.fromisoformat(made.backup.created_utc).timestamp())
    return told(made)


def told(made: Made) -> dict[str, Any]:
    """As the answer and the command line say it."""
    return {**made.backup.model_dump(), "n_files": made.n_files, "copy_error": made.copy_error, "dropped": made.dropped}


def restore(people: People, upkeep: Upkeep, name: str, report: Report) -> dict[str, Any]:
    """Check and unpack a backup next to the data, then restart with it; `former`: the state before the last restore.

    Raises NotFound, BackupRefused, DiskFull, Conflict; nothing was changed then.
    """
    stage_named(upkeep.settings, upkeep.backups, name, gently(report))
    people.note("restore", {"backup": name})
    upkeep.restart()
    return {"backup": name}


def stage_named(settings: Settings, backups: Backups, name: str, report: Report) -> None:
    """Whatever is restored, from a backup or from the state before, lies next to the data then.

    Raises NotFound, BackupRefused, DiskFull, Conflict.
    """
    with backups_lock(settings.data_root):
        if name == FORMER:
            stage_former(settings.data_root)
        else:
            stage(settings.data_root, backups.path(name), settings.min_free_mb * 1_000_000, report)


def gently(report: Report) -> Report:
    """Reports, and rests as long as was worked since the last time."""
    since = time.monotonic()

    def rest(share: float, stage: str) -> None:
        nonlocal since
        report(share, stage)
        time.sleep(min(REST * (time.monotonic() - since), 1.0))
        since = time.monotonic()

    return rest
