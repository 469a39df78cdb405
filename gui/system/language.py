"""Choose the language of this PC's screens."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.language import NAMES
from gui.system.tab import Tab


async def fetch(tab: Tab) -> Callable[[], None]:
    return lambda: _draw(tab)


def _draw(tab: Tab) -> None:
    tab.title("language")

    def change(language: str) -> None:
        tab.gui.preferences.change(language=language)
        ui.navigate.reload()

    with ui.column().classes("card w-full").style("max-width: 820px"):
        choice = ui.radio(dict(NAMES), value=tab.language, on_change=lambda event: change(event.value))
        choice.props("size=lg data-testid=languages")
