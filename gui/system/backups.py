"""Backups: what there is, back up now, bring one back."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.kit import formats
from gui.service import system as calls
from gui.service.client import ServiceError
from gui.shell import notify, sure, tell
from gui.system.tab import Tab, facts, progress
from service.contract.operations import BackupsAnswer, BackupSummary


async def fetch(tab: Tab) -> Callable[[], None]:
    found = await calls.backups(tab.client)
    return lambda: _draw(tab, found)


def _draw(tab: Tab, found: BackupsAnswer) -> None:
    tab.title("backups")
    if found.restored:
        ui.label(_restored(tab, found)).classes("note").props("data-testid=restored")
    bar, text = progress()

    async def back_up() -> None:
        button.disable()
        try:
            job = await tab.follow(await calls.start_backup(tab.client), bar, text)
        except ServiceError as error:
            tell(tab.here, error)
            job = None
        button.enable()
        if job:
            notify(tab.say("backed_up"), "positive")
            await tab.reload()

    async def restore(backup: BackupSummary) -> None:
        made = formats.date_and_time(backup.created_utc, tab.language)
        if not await sure(tab.here, tab.say("sure_restore", made=made), tab.say("restore")):
            return
        try:
            job = await tab.follow(await calls.start_restore(tab.client, backup.name), bar, text)
        except ServiceError as error:
            tell(tab.here, error)
            return
        if job:
            notify(tab.say("restoring"), "positive", timeout=10_000)

    button = ui.button(tab.say("back_up"), icon="save", on_click=back_up).props("data-testid=back-up")
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


def _restored(tab: Tab, found: BackupsAnswer) -> str:
    assert found.restored is not None
    when = formats.date_and_time(found.restored.restored_utc, tab.language)
    return tab.say("restored", backup=found.restored.backup, when=when)


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
                ui.button(tab.say("restore"), on_click=lambda backup=backup: restore(backup)).props(
                    "flat data-testid=restore"
                )
