"""API keys: who has one, a new one that is shown once, and taking one away."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.service import system as calls
from gui.service.client import ServiceError
from gui.shell import sure, tell
from gui.system.tab import Tab
from service.contract.system import KeysAnswer, NewKeyAnswer


async def fetch(tab: Tab) -> Callable[[], None]:
    found = await calls.keys(tab.client)
    return lambda: _draw(tab, found)


def _draw(tab: Tab, found: KeysAnswer) -> None:
    tab.title("keys")
    if found.from_environment:
        ui.label(tab.say("keys_from_environment")).classes("note")
    with ui.column().classes("card w-full gap-1").style("max-width: 820px").props("data-testid=keys"):
        if not found.keys:
            ui.label(tab.say("no_keys"))
        for key in found.keys:
            with ui.row().classes("w-full items-center"):
                ui.icon("key").classes("muted")
                ui.label(key.name).classes("col")
                delete = ui.button(tab.say("delete"), on_click=lambda name=key.name: _delete(tab, name))
                delete.props("flat color=negative").props("data-testid=delete-key")
                delete.set_enabled(not found.from_environment)
    if not found.from_environment:
        _add(tab)


def _add(tab: Tab) -> None:
    with ui.row().classes("items-center"):
        name = (
            ui.input(tab.say("key_name"))
            .props("outlined dense maxlength=60 data-testid=key-name")
            .style("width: 360px")
        )

        async def add() -> None:
            try:
                made = await calls.add_key(tab.client, (name.value or "").strip())
            except ServiceError as error:
                tell(tab.here, error)
                return
            await _show_once(tab, made)
            await tab.reload()

        ui.button(tab.say("add_key"), icon="add", on_click=add).props("data-testid=add-key")


async def _show_once(tab: Tab, made: NewKeyAnswer) -> None:
    with ui.dialog().props("persistent") as dialog, ui.card().classes("gap-4").style("min-width: 520px"):
        ui.label(tab.say("key_made", name=made.name)).classes("text-h6")
        ui.label(tab.say("key_once")).classes("note")
        ui.input(tab.say("key"), value=made.key).props("readonly outlined data-testid=new-key").classes("w-full")
        with ui.row().classes("w-full justify-end"):
            copy = ui.button(tab.say("copy"), icon="content_copy", on_click=lambda: ui.clipboard.write(made.key))
            copy.props("outline data-testid=copy-key")
            ui.button(tab.say("key_kept"), on_click=lambda: dialog.submit(True)).props("data-testid=key-kept")
    await dialog
    dialog.delete()


async def _delete(tab: Tab, name: str) -> None:
    if not await sure(tab.here, tab.say("sure_delete_key", name=name), tab.say("delete")):
        return
    try:
        await calls.delete_key(tab.client, name)
    except ServiceError as error:
        tell(tab.here, error)
        return
    await tab.reload()
