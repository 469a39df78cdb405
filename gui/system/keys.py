"""API keys: list them, add one (shown once), delete one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from nicegui import ui

from gui.kit.widgets import answer, button, card_dialog
from gui.system.tab import Tab
from service.contract.samples import DeletedAnswer
from service.contract.system import KeysAnswer, NewKeyAnswer


async def fetch(tab: Tab) -> Callable[[], None]:
    found = await tab.client.get("/keys", KeysAnswer)
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
                delete = button(tab.say("delete"), partial(_delete, tab, key.name), "delete-key", "flat color=negative")
                delete.set_enabled(not found.from_environment)
    if not found.from_environment:
        _add(tab)


def _add(tab: Tab) -> None:
    with ui.row().classes("items-center"):
        name = ui.input(tab.say("key_name")).style("width: 360px")
        name.props("outlined dense maxlength=60 data-testid=key-name")

        async def add() -> None:
            asked = {"name": (name.value or "").strip()}
            made = await tab.tried(tab.client.send("POST", "/keys", NewKeyAnswer, asked))
            if made:
                await _show_once(tab, made)
                await tab.reload()

        button(tab.say("add_key"), add, "add-key", icon="add")


async def _show_once(tab: Tab, made: NewKeyAnswer) -> None:
    # persistent, because the key cannot be shown again
    with tab.here.root, card_dialog("min-width: 520px") as dialog:
        ui.label(tab.say("key_made", name=made.name)).classes("text-h6")
        ui.label(tab.say("key_once")).classes("note")
        ui.input(tab.say("key"), value=made.key).props("readonly outlined data-testid=new-key").classes("w-full")
        with ui.row().classes("w-full justify-end"):
            copy = partial(ui.clipboard.write, made.key)
            button(tab.say("copy"), copy, "copy-key", "outline", "content_copy")
            button(tab.say("key_kept"), lambda: dialog.submit(True), "key-kept")
    await answer(dialog)


async def _delete(tab: Tab, name: str) -> None:
    if not await tab.sure("sure_delete_key", "delete", name=name):
        return
    path = f"/keys/{quote(name, safe='')}"
    if await tab.tried(tab.client.send("DELETE", path, DeletedAnswer)):
        await tab.reload()
