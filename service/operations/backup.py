"""Make a backup, or bring one back, while inspections go on."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from service.backend import Backend
from service.jobs import Progress
from service.store.backups.make import backups_lock
from service.store.backups.restore import FORMER, stage, stage_former

# Of the time it works, a backup rests as long: the cores and the disk belong to the inspections.
REST = 1.0


def back_up(backend: Backend, report: Progress) -> dict[str, Any]:
    """Raises DiskFull, BackupFailed, Conflict."""
    made = backend.backups.make(gently(report))
    backend.metrics.backed_up(datetime.fromisoformat(made.backup.created_utc).timestamp())
    return {**asdict(made.backup), "n_files": made.n_files, "copy_error": made.copy_error, "dropped": made.dropped}


def restore(backend: Backend, name: str, report: Progress) -> dict[str, Any]:
    """Check and unpack beside, then start anew with it; `former` is the state before the last restore.

    Raises NotFound, BackupRefused, DiskFull, Conflict; nothing was changed then.
    """
    with backups_lock(backend.settings.data_root):
        if name == FORMER:
            stage_former(backend.settings.data_root)
        else:
            reserve = backend.settings.min_free_mb * 1_000_000
            stage(backend.settings.data_root, backend.backups.path(name), reserve, gently(report))
    backend.note("restore", {"backup": name})
    backend.start_anew()
    return {"backup": name}


def gently(report: Progress) -> Progress:
    """Reports, and rests as long as was worked since the last time."""
    since = time.monotonic()

    def rest(share: float, stage: str) -> None:
        nonlocal since
        report(share, stage)
        time.sleep(min(REST * (time.monotonic() - since), 1.0))
        since = time.monotonic()

    return rest
