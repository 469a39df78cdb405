"""Choose the language of this PC's screens."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.language import NAMES
from gui.system.tab import Tab


async def fetch(tab: Tab) -> Callable[[], None]:
    def draw() -> None:
        tab.title("language")
        with ui.column().classes("card w-full").style("max-width: 820px"):
            choice = ui.radio(dict(NAMES), value=tab.language).props("size=lg data-testid=languages")
            choice.on_value_change(lambda event: tab.here.change(language=event.value))

    return draw
