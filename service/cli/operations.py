"""`backup`, `restore`, `verify`, `freeze`, `unfreeze`: through the service that runs, else on its data root."""

from __future__ import annotations

import getpass
import shutil
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from service.cli.client import Client, connected, running, wait_until_ready
from service.cli.teach_inspect import progress_bar
from service.errors import InvalidField
from service.operations.backup import backups_of
from service.process.client import NoAnswer
from service.progress import Report
from service.settings import Settings
from service.store.audit.log import Audit
from service.store.backups.archive_file import check_archive
from service.store.backups.make import backups_lock, is_backup_name
from service.store.backups.restore import FORMER, finish_restore, refuse_in_use, restored, stage, stage_former
from service.store.state.freeze import Freezing

PASSED, FAILED = 0, 1


def back_up(settings: Settings, console: Console) -> int:
    with running(settings) as client, progress_bar(console) as bar:
        task = bar.add_task("backup", total=1.0)

        def report(share: float, stage: str) -> None:
            bar.update(task, completed=share, description=f"backup: {stage}")

        made = client.back_up(report) if client else _back_up_here(settings, report)
        bar.update(task, completed=1.0)
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
    with running(settings) as client, progress_bar(console) as bar:
        task = bar.add_task("restore", total=1.0)

        def report(share: float, stage: str) -> None:
            bar.update(task, completed=share, description=f"restore: {stage}")

        if client is None:
            _restore_here(settings, name, report)
            bar.update(task, completed=1.0)
            console.print(f"{name} is restored; it is checked when the service starts.")
            found = restored(settings.data_root)
            _tell_records(console, found.model_dump() if found else None)
            return PASSED
        started = _started(client)
        client.restore(name, report)
        bar.update(task, completed=1.0)
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
            now = Freezing(settings.data_root).freeze(_user(), socket.gethostname(), why)
            _note(settings, "freeze", {}, new=now.model_dump())
    console.print("Training is frozen: nothing is taught, calibrated or changed in the samples until it is released.")
    return PASSED


def unfreeze(settings: Settings, console: Console) -> int:
    with running(settings) as client:
        if client:
            client.unfreeze()
        else:
            before = Freezing(settings.data_root).frozen()
            Freezing(settings.data_root).release()
            _note(settings, "unfreeze", {}, old=before.model_dump() if before else None)
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


def _back_up_here(settings: Settings, report: Report) -> dict[str, Any]:
    made = backups_of(settings).make(report)
    return {**made.backup.model_dump(), "n_files": made.n_files, "copy_error": made.copy_error}


def _restore_here(settings: Settings, name: str, report: Report) -> None:
    refuse_in_use(settings.data_root)
    with backups_lock(settings.data_root):
        if name == FORMER:
            stage_former(settings.data_root)
        else:
            reserve = settings.min_free_mb * 1_000_000
            stage(settings.data_root, backups_of(settings).path(name), reserve, report)
    finish_restore(settings.data_root)
    _note(settings, "restore", {"backup": name})  # after it: the log of another PC comes with its backup


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


def _note(
    settings: Settings, action: str, target: dict[str, object], *, old: object = None, new: object = None
) -> None:
    station = socket.gethostname()
    Audit(settings.data_root).append(action, by=_user(), station=station, target=target, old=old, new=new)


def _user() -> str:
    return getpass.getuser()
