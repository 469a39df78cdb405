"""Freeze training, so that nothing that judges can change, and release it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import facts
from gui.kit.widgets import button
from gui.system.tab import Tab
from service.contract.health import Frozen
from service.contract.operations import FreezeAnswer


async def fetch(tab: Tab) -> Callable[[], None]:
    frozen = (await tab.health()).frozen

    def draw() -> None:
        tab.title("freeze")
        with ui.column().classes("card w-full gap-4").style("max-width: 820px"):
            if frozen:
                _frozen(tab, frozen)
            else:
                _free(tab)

    return draw


def _frozen(tab: Tab, frozen: Frozen) -> None:
    ui.label(tab.say("is_frozen")).classes("text-h6").props("data-testid=frozen")
    since = formats.date_and_time(frozen.since_utc, tab.language)
    told = {"who": frozen.by, "station": frozen.station or "–", "when": since, "why": frozen.why}
    facts((tab.say(name), value) for name, value in told.items())

    async def release() -> None:
        if await tab.sure("sure_release", "release"):
            await _change(tab, tab.client.send("POST", "/admin/unfreeze", FreezeAnswer))

    button(tab.say("release"), release, "release", icon="lock_open")


def _free(tab: Tab) -> None:
    ui.label(tab.say("is_free")).classes("text-h6").props("data-testid=free")
    why = ui.input(tab.say("why"), validation={tab.say("why_needed"): lambda value: bool((value or "").strip())})
    why.classes("w-full").props("maxlength=500 data-testid=why").without_auto_validation()

    async def freeze() -> None:
        if why.validate():
            told = {"why": why.value.strip()}
            await _change(tab, tab.client.send("POST", "/admin/freeze", FreezeAnswer, told))

    button(tab.say("do_freeze"), freeze, "freeze", icon="lock")


async def _change(tab: Tab, change: Awaitable[object]) -> None:
    if await tab.tried(change) is not None:
        await tab.gui.link.look()  # now, so that the status bar is right before its next second
        await tab.reload()
