"""Head, drawing and facts, for the page of a part and the page of one ROI."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from gui.history.list import badges
from gui.kit import formats
from gui.kit.tables import facts
from gui.kit.widgets import button, empty
from gui.shell import Page

HEIGHT = "height: calc(100vh - 300px); min-height: 320px"  # so that the facts beside it need no scrolling


def head(here: Page, verdict: str, part_id: str | None, *, provisional: bool) -> None:
    """The way back, the verdict, the part."""
    look = f'flat round aria-label="{here.words("history.back")}"'
    button("", ui.navigate.back, "back", look, "arrow_back")
    shown = ui.html(badges(here, verdict, provisional, "big"), sanitize=False).classes("hverdict wide")
    shown.props("data-testid=verdict")
    ui.label(part_id or here.words("history.no_part")).classes("text-h5 ellipsis")


def drawing(here: Page, svg: str) -> ui.html | None:
    """Empty: the picture was not kept."""
    if not svg:
        empty("hide_image", here.words("history.no_picture"))
        return None
    return ui.html(svg, sanitize=False).classes("w-full").style(HEIGHT)


def show_facts(here: Page, rows: Mapping[str, str | None]) -> None:
    facts(((here.words(f"history.fact_{name}"), value or "–") for name, value in rows.items()), "facts")


def timings(here: Page, timings_ms: Mapping[str, float] | None) -> str:
    return " · ".join(f"{name} {formats.number(ms, here.language, 1)} ms" for name, ms in (timings_ms or {}).items())


def who(key_name: str | None, station: str | None) -> str:
    return " · ".join(filter(None, (key_name, station)))
