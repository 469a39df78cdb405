"""System: state and care of the service, one page with ten tabs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from gui.gui import Gui
from gui.kit.widgets import done
from gui.shell import Draw, Opening, Page, page
from gui.system import about, audit, backups, freeze, golden, health, keys, language, logs, settings
from gui.system.tab import Fetch, Tab

TABS: dict[str, tuple[Fetch, str]] = {
    "health": (health.fetch, "monitor_heart"),
    "backups": (backups.fetch, "inventory_2"),
    "freeze": (freeze.fetch, "ac_unit"),
    "golden": (golden.fetch, "verified"),
    "logs": (logs.fetch, "subject"),
    "audit": (audit.fetch, "policy"),
    "keys": (keys.fetch, "key"),
    "settings": (settings.fetch, "tune"),
    "language": (language.fetch, "translate"),
    "about": (about.fetch, "info"),
}


def show(gui: Gui) -> None:
    asked = ui.context.client.request.query_params.get("tab", "")
    with page(gui, "system") as here:
        with ui.row().classes("w-full no-wrap items-start gap-4"):
            with ui.tabs().props("vertical no-caps inline-label").classes("card q-pa-none system-tabs") as tabs:
                for name, (_, icon) in TABS.items():
                    ui.tab(name, here.words(f"system.{name}"), icon).props(f"data-testid=tab-{name}")
            body = ui.column().classes("col gap-4").style("min-width: 0")
        shown = _Shown(here, body, asked if asked in TABS else "health")
        tabs.value = shown.name
        tabs.on_value_change(lambda event: shown.open(event.value))
        here.every_tick(shown.tick)


class _Shown:
    """The open tab."""

    def __init__(self, here: Page, body: ui.column, name: str) -> None:
        self._here, self.name = here, name
        self._tab: Tab | None = None
        self._opening = Opening(here, body, self._ask)
        self._opening.begin()

    async def open(self, name: str) -> None:
        self.name = name
        ui.navigate.history.replace(f"/system?tab={name}")
        await self._opening.load()

    async def _ask(self) -> Draw:
        # the tab before must not tick any more: its elements go
        self._tab, tab = None, Tab(self._here, self._opening.load)
        draw = await TABS[self.name][0](tab)
        return partial(self._draw, tab, draw)

    def _draw(self, tab: Tab, draw: Callable[[], None]) -> None:
        draw()
        self._tab = tab

    async def tick(self) -> None:
        await done(self._tab.tick() if self._tab else None)
