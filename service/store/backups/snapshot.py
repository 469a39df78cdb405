"""Snapshot of the data root within a second while the service works: hard links, and a copy of the database.

Files of datasets, models and layouts are replaced, never changed in place: a link keeps the content of its moment.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from service.store.backups.archive_file import belongs
from service.store.files import roi_lock

FOLDERS = ("datasets", "models", "layouts")
DATABASE = "records.sqlite"
# the audit log after its anchor: it may be ahead of it, never behind
FILES = ("settings.env", "logs/audit.head", "logs/audit.jsonl")


def take_snapshot(data_root: Path, into: Path) -> Path:
    """`into`, on the same disk, with everything a backup holds. Raises Conflict, DiskFull, OSError, sqlite3.Error."""
    into.mkdir(parents=True)
    for kind in ("datasets", "models"):
        for roi in sorted(path for path in (data_root / kind).glob("*/*") if path.is_dir()):
            with roi_lock(data_root / "locks" / kind, roi.parent.name, roi.name, "Backup"):
                _link_all(data_root, roi, into)
    _link_all(data_root, data_root / "layouts", into)
    for file in FILES:
        if (data_root / file).is_file():
            _copy(data_root / file, into / file)
    if (data_root / DATABASE).is_file():
        _copy_database(data_root / DATABASE, into / DATABASE)
    return into


def _link_all(data_root: Path, folder: Path, into: Path) -> None:
    """Files that are not ours, such as a viewer's thumbnails, stay out: a restore would refuse them."""
    for path in folder.rglob("*"):
        name = path.relative_to(data_root).as_posix()
        if belongs(name) and path.is_file():
            _link(path, into / name)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # FAT and exFAT have no links
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_database(source: Path, target: Path) -> None:
    """Consistent, in one read transaction, which no writer waits for (WAL)."""
    with closing(sqlite3.connect(source, timeout=10)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
