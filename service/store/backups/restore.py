"""Restore of a backup: unpacked and checked next to the data, swapped in while nothing runs, the former state kept.

`restore/staged/` is filled while inspections go on; `restore/plan.json` is the decision. From then on the next start
swaps by renames alone, in two phases that can be interrupted anywhere and are taken up again: what is there goes to
`restore/former/`, then what is staged takes its place. `restore/restored.json` says that the new state waits to be
verified; until then the former one stays.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import sys
import time
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.contract.operations import RestoredState
from service.errors import BackupRefused, Conflict, DiskFull, NotFound, RestoreUnfinished
from service.progress import Report
from service.store.backups.archive_file import Manifest, read_manifest, unpack
from service.store.backups.make import backups_lock
from service.store.backups.snapshot import DATABASE, FOLDERS
from service.store.files import file_lock, read_sealed, sync_folder, temporary_name, write_sealed
from service.store.records.database import SCHEMA, open_database

log = logging.getLogger(__name__)
# What a restore replaces. The write-ahead log goes with its database: it may hold records the database lacks.
ITEMS = (*FOLDERS, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "settings.env")
# Kept as they are: they go on. A data root that has none gets the backup's.
ONLY_IF_MISSING = ("logs/audit.jsonl", "logs/audit.head")
FORMER = "former"
# Held by a service for as long as it has the data root open.
SERVICE_LOCK = "locks/service.lock"
# A virus scanner may hold a file for a moment after it was written.
RENAME_PATIENCE_S = 10.0


def stage(data_root: Path, archive: Path, reserve_bytes: int, report: Report) -> Manifest:
    """Unpack a backup next to the data, check every byte, migrate its database, and plan the swap.

    Raises BackupRefused, DiskFull, Conflict (a swap waits already), and what `report` raises; nothing changed then.
    """
    folder = _prepare(data_root)
    manifest = read_manifest(archive)
    _refuse_newer(archive.name, manifest)
    _refuse_without_room(folder, manifest.total_bytes + reserve_bytes)
    building = folder / temporary_name()
    try:
        building.mkdir()
        unpack(archive, building, lambda share: report(share * 0.95, "unpack"))
        report(0.95, "check")
        _ready_database(building / DATABASE, archive.name)
        for path in [building, *(path for path in building.rglob("*") if path.is_dir())]:
            sync_folder(path)
        os.rename(building, folder / "staged")
    finally:
        shutil.rmtree(building, ignore_errors=True)
    # while a former state waits for a verdict, it is the one to keep: the unverified one between is dropped
    _decide(folder, archive.name, source="staged", away="discarded" if (folder / FORMER).exists() else FORMER)
    return manifest


def stage_former(data_root: Path) -> None:
    """Decide to go back to the state before the last restore. Raises NotFound when it is not kept any more."""
    folder = data_root / "restore"
    if not former_is_kept(data_root):
        raise NotFound("No former state is kept: there was no restore, or it was verified.")
    _prepare(data_root)
    _decide(folder, FORMER, source=FORMER, away="discarded")


def restore_waits(data_root: Path) -> bool:
    """Whether the next start swaps."""
    return (data_root / "restore" / "plan.json").exists()


def refuse_half_restored(data_root: Path) -> None:
    """Raises RestoreUnfinished while a swap waits or was interrupted: the data may be a mixture."""
    if restore_waits(data_root):
        raise RestoreUnfinished("A restore is not finished: it goes on when the service is started again.")


def finish_restore(data_root: Path) -> bool:
    """Swap if a restore was decided; true when it did. For a moment when nothing uses the data root.

    Raises OSError when a file cannot be moved (in use); called again, it goes on from there.
    """
    if not restore_waits(data_root):
        return False
    with backups_lock(data_root), _in_use_lock(data_root):
        _swap(data_root, data_root / "restore")
    return True


def refuse_in_use(data_root: Path) -> None:
    """Raises Conflict while a service has the data root open, on whatever port."""
    with _in_use_lock(data_root):
        pass


def _in_use_lock(data_root: Path) -> AbstractContextManager[None]:
    busy = f"A service uses {data_root}: stop it first, or use the settings that it runs with."
    return file_lock(data_root / SERVICE_LOCK, busy, timeout_s=1.0)


def restored(data_root: Path) -> RestoredState | None:
    """The restored state that waits to be verified, if any."""
    value = _read(data_root / "restore" / "restored.json")
    return RestoredState(**value) if value else None


def former_is_kept(data_root: Path) -> bool:
    """Whether the state before the last restore can be gone back to."""
    return (data_root / "restore" / FORMER).is_dir()


def settle(data_root: Path) -> None:
    """The restored state was verified: the former one goes, unless it has records that could not be carried over."""
    folder, waiting = data_root / "restore", restored(data_root)
    if waiting and waiting.note and former_is_kept(data_root):  # it holds records that nobody else has
        os.rename(folder / FORMER, folder / f"kept-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    (folder / "restored.json").unlink(missing_ok=True)
    _clear(folder, FORMER, "staged", "discarded")


def sweep_restore(data_root: Path) -> None:
    """Remove what a killed restore left behind, unless one is being made by another process."""
    try:
        with backups_lock(data_root):
            if not restore_waits(data_root):
                _clear(data_root / "restore", ".tmp-*", "staged", "discarded")
    except Conflict:
        pass


def _prepare(data_root: Path) -> Path:
    folder = data_root / "restore"
    if restore_waits(data_root):
        raise Conflict("A restore waits already: it is done when the service is started again.")
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder, ".tmp-*", "staged", "discarded")
    return folder


def _decide(folder: Path, backup: str, *, source: str, away: str) -> None:
    plan = {"backup": backup, "source": source, "away": away, "phase": 1, "carried_over": 0, "note": ""}
    write_sealed(folder / "plan.json", plan)


def _swap(data_root: Path, folder: Path) -> None:
    plan = _read(folder / "plan.json")
    if plan is None:  # another process was faster
        return
    if plan["phase"] == 1:
        plan = _put_away(data_root, folder, plan)
    source = folder / plan["source"]
    for item in ITEMS:
        _move(source / item, data_root / item)
    for item in ONLY_IF_MISSING:
        if not (data_root / item).exists():
            _move(source / item, data_root / item)
    sync_folder(data_root)
    restored = RestoredState(
        backup=plan["backup"], restored_utc=datetime.now(UTC).isoformat(),
        carried_over=plan["carried_over"], note=plan["note"],
    )  # fmt: skip
    if plan["source"] == FORMER:
        (folder / "restored.json").unlink(missing_ok=True)
    else:
        write_sealed(folder / "restored.json", restored.model_dump())
    (folder / "plan.json").unlink()
    sync_folder(folder)
    _clear(folder, plan["source"], "discarded")
    log.info("restored", extra=restored.model_dump())


def _put_away(data_root: Path, folder: Path, plan: dict[str, Any]) -> dict[str, Any]:
    away = folder / plan["away"]
    away.mkdir(exist_ok=True)
    for item in ITEMS:
        if not (away / item).exists():  # there already: what stands in its place is no state of ours
            _move(data_root / item, away / item)
    sync_folder(away)
    sync_folder(data_root)
    carried_over, note = _carry_over(away / DATABASE, folder / plan["source"] / DATABASE)
    plan = {**plan, "phase": 2, "carried_over": carried_over, "note": note}
    write_sealed(folder / "plan.json", plan)
    return plan


def _carry_over(former: Path, staged: Path) -> tuple[int, str]:
    """Inspections recorded since the backup stay proven: their rows go into the restored database. So do jobs."""
    if not former.exists() or not staged.exists():
        return 0, ""
    try:
        with closing(sqlite3.connect(staged)) as database:
            database.execute("ATTACH ? AS former", (str(former),))
            with database:
                added = [_carry_table(database, table) for table in ("inspections", "frames", "jobs")]
            return added[0], ""
    except sqlite3.DatabaseError as error:
        log.error("records not carried over", extra={"detail": str(error)})
        return 0, f"Records since the backup could not be read from the former database ({error})."


def _carry_table(database: sqlite3.Connection, table: str) -> int:
    names = [{row[1] for row in database.execute(f"PRAGMA {s}.table_info({table})")} for s in ("main", "former")]
    columns = ", ".join(sorted(names[0] & names[1]))
    if not columns:  # an older version's database has no such table
        return 0
    return database.execute(
        f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM former.{table}"
    ).rowcount


def _ready_database(path: Path, archive: str) -> None:
    if not path.exists():
        raise BackupRefused(f"{archive} holds no {DATABASE}: it is not whole.")
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupRefused(f"{archive}: its {DATABASE} is damaged ({found}).")
    open_database(path).dispose()  # an older version's is migrated here, before anything is swapped


def _refuse_newer(archive: str, manifest: Manifest) -> None:
    schema = manifest.about.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        raise BackupRefused(
            f"{archive} was made by version {manifest.about.get('version')}, newer than this one: update first."
        )


def _refuse_without_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"The restore needs {needed // 10**6:,} MB beside what is there, the disk of {folder} has "
            f"{free // 10**6:,} MB: free some space. Nothing was changed."
        )


def _move(source: Path, target: Path) -> None:
    """Rename a file or folder; waits for programs that hold it open for a moment."""
    deadline = time.monotonic() + RENAME_PATIENCE_S
    while source.exists():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
            return
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _read(path: Path) -> dict[str, Any] | None:
    """None when there is none."""
    try:
        return read_sealed(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RestoreUnfinished(f"{path} cannot be read ({error}): have support look at the folder.") from error


def _clear(folder: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:  # a plan or a note that was being written
                path.unlink(missing_ok=True)
