"""Address and key of the service, tried before they are kept."""

from __future__ import annotations

from nicegui import ui

from gui.gui import Gui
from gui.kit.widgets import button
from gui.service.client import Target
from gui.service.link import LinkState, try_target
from gui.shell import Page, page


def show(gui: Gui) -> None:
    with page(gui, "connection") as here, ui.column().classes("card gap-4").style("max-width: 720px"):
        ui.label(here.words("connection.title")).classes("text-h5")
        ui.label(here.words("connection.explain")).classes("muted")
        _form(here)


def _form(here: Page) -> None:
    words, known = here.words, here.gui.preferences.now
    url = ui.input(words("connection.url"), value=known.backend_url).classes("w-full").props("data-testid=url")
    # the key never goes to the browser: dots stand for it, and an empty field keeps it
    key = ui.input(words("connection.key"), password=True, placeholder="••••••••" if known.api_key else "")
    key.classes("w-full").props('autocomplete="off" stack-label').props("data-testid=key")
    without = ui.checkbox(words("connection.no_key"), value=not known.api_key).props("data-testid=no-key")
    station = ui.input(words("connection.station"), value=known.station).classes("w-full").props("data-testid=station")
    result = ui.label().classes("text-body1").props("data-testid=result")

    def wanted() -> Target:
        api_key = "" if without.value else (key.value or known.api_key)
        return Target(str(url.value or "").strip().rstrip("/"), api_key.strip(), str(station.value or "").strip())

    async def test() -> LinkState:
        result.text = words("connection.trying")
        state = await try_target(wanted())
        result.text = _outcome(here, state)
        return state

    async def save() -> None:
        state = await test()
        if state.link == "refused" or (not state.usable and state.health is None):
            return
        target = wanted()
        here.gui.preferences.change(backend_url=target.url, api_key=target.api_key, station=target.station)
        await here.client.aim(target)
        await here.gui.link.look()
        result.text = words("connection.saved", outcome=_outcome(here, state))

    key.on_value_change(lambda event: without.set_value(False) if event.value else None)
    with ui.row():
        button(words("connection.test"), test, "test", "outline")
        button(words("connection.save"), save, "save")


def _outcome(here: Page, state: LinkState) -> str:
    if state.usable and state.health:
        return here.words("connection.works", version=state.health.version, device=state.health.device_name)
    return here.words.problem(state.code, state.detail)
