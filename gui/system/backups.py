"""Backups: list them, make one now, restore one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import facts
from gui.kit.widgets import busy, button, notify
from gui.system.tab import Progress, Tab
from service.contract.operations import BackupsAnswer, BackupSummary


async def fetch(tab: Tab) -> Callable[[], None]:
    found = await tab.client.get("/backups", BackupsAnswer)
    return lambda: _draw(tab, found)


def _draw(tab: Tab, found: BackupsAnswer) -> None:
    tab.title("backups")
    if found.restored:
        when = formats.date_and_time(found.restored.restored_utc, tab.language)
        said = tab.say("restored", backup=found.restored.backup, when=when)
        ui.label(said).classes("note").props("data-testid=restored")
    progress = Progress(tab)

    async def back_up() -> None:
        with busy(start):
            done = await progress.follow(tab.client.start_job("/backups"))
        if done:
            tab.here.note(tab.say("backed_up"))
            await tab.reload()

    async def restore(backup: BackupSummary) -> None:
        made = formats.date_and_time(backup.created_utc, tab.language)
        if not await tab.sure("sure_restore", "restore", made=made):
            return
        path = f"/backups/{quote(backup.name, safe='')}/restore"
        if await progress.follow(tab.client.start_job(path)):
            # the service restarts now: the message stays until it is back
            notify(tab.say("restoring"), "positive", timeout=10_000)

    start = button(tab.say("back_up"), back_up, "back-up", icon="save")
    with ui.column().classes("card w-full"):
        facts(_outcome(tab, found))
    _list(tab, found, restore)


def _outcome(tab: Tab, found: BackupsAnswer) -> list[tuple[str, str]]:
    rows = [
        (tab.say("fact_backup"), formats.date_and_time(found.last_success_utc, tab.language)),
        (tab.say("second_folder"), found.second_folder or tab.say("no_second_folder")),
    ]
    rows += [(tab.say("fact_backup_error"), found.error)] if found.error else []
    return rows + ([(tab.say("fact_copy_error"), found.copy_error)] if found.copy_error else [])


def _list(tab: Tab, found: BackupsAnswer, restore: Callable[[BackupSummary], object]) -> None:
    if not found.backups:
        ui.label(tab.say("no_backups")).classes("card w-full").props("data-testid=no-backups")
        return
    with ui.column().classes("card w-full gap-0").props("data-testid=backups"):
        for backup in found.backups:
            with ui.row().classes("w-full items-center no-wrap q-py-xs").style("border-bottom: 1px solid var(--line)"):
                ui.label(formats.date_and_time(backup.created_utc, tab.language)).classes("number")
                ui.label(formats.size(backup.size_bytes, tab.language)).classes("number").style("min-width: 90px")
                ui.label(backup.name).classes("muted col ellipsis")
                button(tab.say("restore"), partial(restore, backup), "restore", "flat")
