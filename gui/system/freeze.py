"""Freeze training, so that nothing that judges can change; release it. Who, when, why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.kit import formats
from gui.service import system as calls
from gui.service.client import ServiceError
from gui.shell import sure, tell
from gui.system.tab import Tab, facts
from service.contract.health import Frozen


async def fetch(tab: Tab) -> Callable[[], None]:
    frozen = (await calls.health(tab.client)).frozen

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
    facts(
        [
            (tab.say("who"), frozen.by),
            (tab.say("station"), frozen.station or "–"),
            (tab.say("when"), formats.date_and_time(frozen.since_utc, tab.language)),
            (tab.say("why"), frozen.why),
        ]
    )

    async def release() -> None:
        if await sure(tab.here, tab.say("sure_release"), tab.say("release")):
            await _change(tab, lambda: calls.release(tab.client))

    ui.button(tab.say("release"), icon="lock_open", on_click=release).props("data-testid=release")


def _free(tab: Tab) -> None:
    ui.label(tab.say("is_free")).classes("text-h6").props("data-testid=free")
    why = ui.input(tab.say("why"), validation={tab.say("why_needed"): lambda value: bool((value or "").strip())})
    why.classes("w-full").props("maxlength=500 data-testid=why").without_auto_validation()

    async def freeze() -> None:
        if why.validate():
            await _change(tab, lambda: calls.freeze(tab.client, why.value.strip()))

    ui.button(tab.say("do_freeze"), icon="lock", on_click=freeze).props("data-testid=freeze")


async def _change(tab: Tab, change: Callable[[], Awaitable[object]]) -> None:
    try:
        await change()
    except ServiceError as error:
        tell(tab.here, error)
        return
    await tab.gui.link.look()
    await tab.reload()
