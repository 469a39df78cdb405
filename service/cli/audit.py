"""`audit verify` and `audit show`: read the audit log without the service."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice

from rich.console import Console
from rich.markup import escape

from service.operations.backup import backups_of
from service.settings import Settings
from service.store.audit.chain import log_path, newest, verify


def verify_log(settings: Settings, console: Console) -> int:
    """Exit code 1 when the log is not whole."""
    path = log_path(settings.data_root)
    heads = backups_of(settings).audit_heads()
    found = verify(path, heads)
    console.print(f"{path}: {found.entries} entries, {found.repairs} repaired; compared with {len(heads)} backups.")
    if found.problem:
        console.print(f"[red]Not whole[/]: {escape(found.problem)} ({found.problems} in all)")
        return 1
    console.print(
        f"[green]Whole[/]. It ends with entry {found.head.seq}, SHA-256 {found.head.sha256}: "
        "written down elsewhere, this proves it later."
    )
    return 0


def show_log(settings: Settings, console: Console, count: int) -> int:
    for entry in islice(newest(settings.data_root), count):
        local = datetime.fromisoformat(entry.time_utc).astimezone()
        old, new = (json.dumps(value, ensure_ascii=False) for value in (entry.old, entry.new))
        where = " ".join(str(value) for value in entry.target.values() if not isinstance(value, dict | list))
        head = f"[bold]{entry.seq} {local:%Y-%m-%d %H:%M:%S} {escape(entry.action)}[/] {escape(where[:200])}"
        console.print(
            f"{head} by {escape(entry.by)} at {escape(entry.station)}\n    {escape(f'{old} -> {new}'[:1000])}"
        )
    return 0
