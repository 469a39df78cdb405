"""`backup`, `restore`, `verify`, `freeze`, `unfreeze`: through the service that runs, else on its data root."""

from __future__ import annotations

import shutil
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from service.cli.client import Client, connected, running, wait_until_ready
from service.cli.teach_inspect import progress
from service.errors import InvalidField
from service.operations.audit import note_own, user
from service.operations.backup import backups_of, stage_named, told
from service.process.client import NoAnswer
from service.progress import Report
from service.settings import Settings
from service.store.audit.log import Audit
from service.store.backups.archive_file import check_archive
from service.store.backups.make import is_backup_name
from service.store.backups.restore import FORMER, finish_restore, refuse_in_use, restored
from service.store.state.freeze import Freezing

PASSED, FAILED = 0, 1


def back_up(settings: Settings, console: Console) -> int:
    with running(settings) as client, progress(console, "backup") as report:
        made = client.back_up(report) if client else told(backups_of(settings).make(report))
    console.print(f"{made['name']}: {made['n_files']} files, {made['size_bytes'] / 1e6:.1f} MB, read back and whole.")
    if made["copy_error"]:
        console.print(f"[yellow]{made['copy_error']}[/]")
    return PASSED


def list_backups(settings: Settings, console: Console) -> int:
    table = Table("name", "made", "version", "MB", title=str(settings.data_root / "backups"))
    for backup in backups_of(settings).all():
        local = datetime.fromisoformat(backup.created_utc).astimezone()
        table.add_row(backup.name, f"{local:%Y-%m-%d %H:%M}", backup.version, f"{backup.size_bytes / 1e6:.1f}")
    console.print(table)
    return PASSED


def restore(settings: Settings, console: Console, name: str) -> int:
    """`name` of a backup, `former`, or the path of a file that is one. Exit code 1 when the check afterwards fails."""
    name = _brought_in(settings, name)
    with running(settings) as client:
        started = _started(client) if client else 0.0
        with progress(console, "restore") as report:
            if client:
                client.restore(name, report)
            else:
                _restore_here(settings, name, report)
        if client is None:
            console.print(f"{name} is restored; it is checked when the service starts.")
            found = restored(settings.data_root)
            _tell_records(console, found.model_dump() if found else None)
            return PASSED
        _wait_until_restarted(client, started)
        wait_until_ready(client, console.print)
        _tell_records(console, client.restored())
        answer = client.verify()
    console.print(f"{name} is restored.", verify_table(answer))
    back = "The state before is kept: `brakedisc restore former` goes back to it."
    return _said(console, answer, "" if name == FORMER else back)


def verify(settings: Settings, console: Console) -> int:
    with connected(settings, console.print) as client:
        answer = client.verify()
    console.print(verify_table(answer))
    return _said(console, answer, "")


def freeze(settings: Settings, console: Console, why: str) -> int:
    with running(settings) as client:
        if client:
            client.freeze(why)
        else:
            now = Freezing(settings.data_root).freeze(user(), socket.gethostname(), why)
            note_own(Audit(settings.data_root), "freeze", {}, new=now.model_dump())
    console.print("Training is frozen: nothing is taught, calibrated or changed in the samples until it is released.")
    return PASSED


def unfreeze(settings: Settings, console: Console) -> int:
    with running(settings) as client:
        if client:
            client.unfreeze()
        else:
            before = Freezing(settings.data_root).frozen()
            Freezing(settings.data_root).release()
            old = before.model_dump() if before else None
            note_own(Audit(settings.data_root), "unfreeze", {}, old=old)
    console.print("Training is released.")
    return PASSED


def verify_table(answer: dict[str, Any]) -> Table:
    table = Table("check", "what", "expected", "verdict", "passed", "detail", title="Verification")
    for check in answer["checks"]:
        row = (check["kind"], check["what"], check["expected"] or "", check["verdict"] or "")
        table.add_row(*row, "yes" if check["passed"] else "NO", check["detail"], style="" if check["passed"] else "red")
    return table


def _said(console: Console, answer: dict[str, Any], advice: str) -> int:
    failed = sum(not check["passed"] for check in answer["checks"])
    if answer["passed"]:
        console.print(f"[green]Passed[/]: {len(answer['checks'])} checks, {answer['n_golden']} golden parts.")
    else:
        console.print(f"[red]Failed[/]: {failed} of {len(answer['checks'])} checks. {advice}")
    if not answer["n_golden"]:
        console.print("[yellow]No sample is marked as golden: nothing says that verdicts are still right.[/]")
    return PASSED if answer["passed"] else FAILED


def _tell_records(console: Console, found: dict[str, Any] | None) -> None:
    """What became of inspections recorded since the backup; None for a state that was only gone back to."""
    if found and found["note"]:
        console.print(f"[yellow]{found['note']} The former state stays in restore/ when this one is verified.[/]")
    elif found:
        console.print(f"{found['carried_over']} inspections recorded since the backup are kept in the record.")


def _restore_here(settings: Settings, name: str, report: Report) -> None:
    refuse_in_use(settings.data_root)
    stage_named(settings, backups_of(settings), name, report)
    finish_restore(settings.data_root)
    # after it: the log of another PC comes with its backup
    note_own(Audit(settings.data_root), "restore", {"backup": name})


def _brought_in(settings: Settings, name: str) -> str:
    """A backup from elsewhere is copied to the others. Raises InvalidField (no name of ours), BackupRefused."""
    path, folder = Path(name), settings.data_root / "backups"
    if name == FORMER or not path.is_file() or path.resolve().parent == folder.resolve():
        return path.name
    if not is_backup_name(path.name):
        raise InvalidField(f"{path.name} is not the name of a backup (brakedisc-<time>-<version>.tar.gz).")
    if not (folder / path.name).exists():
        check_archive(path, lambda _share: None)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    return path.name


def _started(client: Client) -> float:
    return time.monotonic() - float(client.health()["uptime_s"])


def _wait_until_restarted(client: Client, former: float) -> None:
    """Until the service that answers is the one that was started after the restore."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if _started(client) > former + 0.3:  # the answer is rounded to 0.1 s
                return
        except (NoAnswer, ValueError):
            pass
        time.sleep(0.1)
