"""Backups: `backups/brakedisc-<UTC>-<version>.tar.gz`, made while inspections run, read back before they count.

A snapshot of hard links is packed. The archive is written beside, flushed, checked and renamed; what is interrupted
leaves nothing but a temporary folder, which the next one sweeps.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.contract.health import BackupState
from service.contract.operations import BackupSummary
from service.errors import BackupFailed, BackupRefused, Cancelled, DiskDamaged, DiskFull, NotFound, Problem
from service.progress import Report
from service.store.audit.chain import Head, log_path, read_head
from service.store.backups.archive_file import CHUNK, check_archive, read_manifest, write_archive
from service.store.backups.keeping import surplus
from service.store.backups.snapshot import take_snapshot
from service.store.files import (
    file_lock,
    full_disk_named,
    read_sealed,
    sweep_orphans,
    sync_folder,
    temporary_name,
    write_sealed,
)
from service.store.records.database import SCHEMA

log = logging.getLogger(__name__)
_NAME = re.compile(r"brakedisc-(\d{8}T\d{6}Z)-([0-9A-Za-z.+]+)\.tar\.gz")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Made:
    """`copy_error` says why there is no second copy where one is wanted; `dropped` are older backups that went."""

    backup: BackupSummary
    n_files: int
    copy_error: str | None
    dropped: list[str]


class Backups:
    def __init__(self, data_root: Path, version: str, second: Path | None, reserve_bytes: int) -> None:
        """`second`: another folder for a copy of each; `reserve_bytes`: what a backup leaves free on the disk."""
        self._data_root, self._version = data_root, version
        self._folder = data_root / "backups"
        self._second, self._reserve = second, reserve_bytes

    def make(self, report: Report, now: datetime | None = None) -> Made:
        """One backup, checked, copied and the surplus ones dropped. Its outcome is kept, see `outcome`.

        Raises DiskFull, BackupFailed, Conflict when one is being made, and what `report` raises.
        """
        with backups_lock(self._data_root):
            try:
                made = self._make(report, now or datetime.now(UTC))
            except Cancelled:
                raise
            except Problem as problem:
                self._remember(error=problem.detail)
                raise
            except (OSError, sqlite3.Error) as error:
                self._remember(error=str(error))
                raise BackupFailed(f"The backup could not be made: {error}") from error
            self._remember(copy_error=made.copy_error)
            return made

    def sweep(self) -> None:
        """Remove what a killed service left behind."""
        sweep_orphans(self._folder)

    def all(self) -> list[BackupSummary]:
        """Newest first."""
        return _backups(self._folder)

    def path(self, name: str) -> Path:
        """Raises NotFound."""
        path = self._folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound(f"No backup {name!r}; GET /backups lists them.")
        return path

    def audit_heads(self) -> list[Head]:
        """How the audit log ended when each backup was made."""
        heads = []
        for backup in self.all():
            try:
                head = read_manifest(self._folder / backup.name).about.get("audit")
            except (BackupRefused, OSError):
                continue
            if isinstance(head, list) and len(head) == 2:
                heads.append(Head(int(head[0]), str(head[1])))
        return heads

    def outcome(self) -> BackupState:
        newest = next(iter(self.all()), None)
        try:
            last = read_sealed(self._folder / "outcome.json")
        except (FileNotFoundError, ValueError):
            last = {}
        return BackupState(
            last_success_utc=newest.created_utc if newest else None,
            error=last.get("error"),
            copy_error=last.get("copy_error"),
        )

    def _make(self, report: Report, now: datetime) -> Made:
        self._folder.mkdir(parents=True, exist_ok=True)
        sweep_orphans(self._folder)
        name = self._free_name(now)
        with self._temporary() as work:
            report(0.0, "collect")
            snapshot = take_snapshot(self._data_root, work / "snapshot")
            self._refuse_without_room(_size(snapshot))
            packed = work / name
            manifest = write_archive(
                snapshot, packed, self._about(name, snapshot), self._watched(report, 0.02, 0.7, "pack")
            )
            if check_archive(packed, self._watched(report, 0.7, 0.9, "check")).files != manifest.files:
                raise DiskDamaged(f"{packed.name} reads back with another content than was written: check the disk.")
            os.replace(packed, self._folder / name)
            sync_folder(self._folder)
        report(0.9, "copy")
        copy_error = self._copy(name, self._watched(report, 0.9, 1.0, "copy")) if self._second else None
        dropped = self._drop_surplus(self._folder)
        made = next(backup for backup in self.all() if backup.name == name)
        log.info("backup made", extra={"backup": name, "size_bytes": made.size_bytes, "copy_error": copy_error})
        return Made(made, len(manifest.files), copy_error, dropped)

    def _about(self, name: str, snapshot: Path) -> dict[str, Any]:
        """The audit log's head is kept where nobody rewrites it: `audit verify` looks into the archives."""
        try:
            head = read_head(log_path(snapshot))
        except ValueError:  # damaged: `audit verify` says so
            head = None
        return {
            "version": self._version,
            "schema": SCHEMA,
            "created_utc": _iso(name),
            "host": socket.gethostname(),
            "audit": [head.seq, head.sha256] if head else None,
        }

    def _free_name(self, now: datetime) -> str:
        while (name := f"brakedisc-{now.astimezone(UTC):{_TIME}}-{self._version}.tar.gz") in os.listdir(self._folder):
            now += timedelta(seconds=1)
        return name

    def _refuse_without_room(self, size: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < size + self._reserve:
            raise DiskFull(
                f"A backup may need {_mb(size)}, and {_mb(self._reserve)} have to stay free (BACKEND_MIN_FREE_MB), "
                f"but the disk of {self._folder} has {_mb(free)}: free some space. Nothing was changed."
            )

    def _watched(self, report: Report, begin: float, end: float, stage: str) -> Callable[[float], None]:
        """Progress within a stage, that ends it when others have filled the disk meanwhile."""

        def progress(share: float) -> None:
            if shutil.disk_usage(self._folder).free < self._reserve:
                raise DiskFull("The disk got full while the backup was made: free some space. Nothing was changed.")
            report(begin + share * (end - begin), stage)

        return progress

    def _copy(self, name: str, progress: Callable[[float], None]) -> str | None:
        """Why there is no copy in the second folder, or None. The backup itself is made either way."""
        assert self._second is not None
        if not self._second.is_dir():  # made here it would lie on the disk where a share should be mounted
            return f"The second backup folder {self._second} is not there (BACKEND_BACKUP_DIR)."
        try:
            sweep_orphans(self._second)
            _copy_checked(self._folder / name, self._second / name, progress)
            self._drop_surplus(self._second)
        except (OSError, DiskFull, DiskDamaged) as error:
            return f"The copy to {self._second} failed: {error}"
        return None

    def _drop_surplus(self, folder: Path) -> list[str]:
        dropped = surplus([(_moment(backup.name), backup.version, backup.name) for backup in _backups(folder)])
        for name in dropped:
            (folder / name).unlink(missing_ok=True)
        return dropped

    def _remember(self, *, error: str | None = None, copy_error: str | None = None) -> None:
        found = {"error": error, "copy_error": copy_error, "utc": datetime.now(UTC).isoformat()}
        try:
            write_sealed(self._folder / "outcome.json", found)
        except (OSError, DiskFull) as failure:  # the same full disk; the log has it
            log.error("outcome of the backup not kept", extra={"error": error, "detail": str(failure)})

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        work = self._folder / temporary_name()
        with full_disk_named(work):
            work.mkdir()
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)


def is_backup_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def backups_lock(data_root: Path) -> AbstractContextManager[None]:
    """Held while a backup is made or restored. Raises Conflict."""
    busy = "A backup is being made or restored: try again when it is done."
    return file_lock(data_root / "locks" / "backups.lock", busy, timeout_s=1.0)


def _backups(folder: Path) -> list[BackupSummary]:
    found = []
    for path in folder.glob("brakedisc-*.tar.gz"):
        if match := _NAME.fullmatch(path.name):
            found.append(
                BackupSummary(
                    name=path.name, created_utc=_iso(path.name), version=match[2], size_bytes=path.stat().st_size
                )
            )
    return sorted(found, key=lambda backup: backup.name, reverse=True)


def _moment(name: str) -> datetime:
    match = _NAME.fullmatch(name)
    assert match is not None
    return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)


def _iso(name: str) -> str:
    return _moment(name).isoformat()


def _copy_checked(source: Path, target: Path, progress: Callable[[float], None]) -> None:
    """Copy, flush, read back, rename. Raises DiskFull, DiskDamaged, OSError."""
    temporary, size, done = target.parent / temporary_name(), source.stat().st_size, 0
    try:
        with full_disk_named(target), open(source, "rb") as file, open(temporary, "xb") as copy:
            written = hashlib.sha256()
            while chunk := file.read(CHUNK):
                written.update(chunk)
                copy.write(chunk)
                done += len(chunk)
                progress(done / (size or 1))
            copy.flush()
            os.fsync(copy.fileno())
        with open(temporary, "rb") as copy:
            if hashlib.file_digest(copy, "sha256").digest() != written.digest():
                raise DiskDamaged("it reads back with another content than was written")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _mb(size: int) -> str:
    return f"{-(-size // 10**6):,} MB"
