"""A log as it grows, filtered by level and search text; it can be paused to read it."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from urllib.parse import quote

from nicegui import ui

from gui.kit import formats
from gui.kit.widgets import select
from gui.system.log_view import LEVELS, LogLine, LogView
from gui.system.tab import Tab
from service.contract.system import LogFileAbout, LogPieceAnswer, LogsAnswer

_LOOK_S = 1.0


async def fetch(tab: Tab) -> Callable[[], None]:
    files = (await tab.client.get("/logs", LogsAnswer)).logs
    name = next((file.name for file in files if file.name == "service.log"), files[0].name if files else "")
    piece = await _lines(tab, name, None) if name else None
    return lambda: _Logs(tab, files, name).draw(piece)


class _Logs:
    def __init__(self, tab: Tab, files: list[LogFileAbout], name: str) -> None:
        self._tab, self._files, self._name = tab, files, name
        self._view, self._next, self._asked = LogView(), 0, time.monotonic()
        self._paused = False

    def draw(self, piece: LogPieceAnswer | None) -> None:
        tab = self._tab
        tab.title("logs")
        if piece is None:
            ui.label(tab.say("no_logs")).classes("card w-full")
            return
        self._controls()
        self._lines = ui.html("", sanitize=False).classes("card w-full lines")
        self._lines.style("height: calc(100vh - 330px); min-height: 240px").props("data-testid=lines tabindex=0")
        self._take(piece)
        tab.tick = self._tick

    def _controls(self) -> None:
        tab = self._tab
        with ui.row().classes("w-full items-center"):
            sizes = {file.name: f"{file.name} ({formats.size(file.size_bytes, tab.language)})" for file in self._files}
            files = ui.select(sizes, value=self._name, on_change=lambda event: self._open(event.value))
            files.props("outlined dense data-testid=log-file")
            levels = select(tab.say("level_from"), LEVELS, self._view.level, "level", 130)
            levels.bind_value_to(self._view, "level").on_value_change(self._show)
            search = ui.input(tab.say("search")).props("outlined dense clearable debounce=300 data-testid=search")
            search.bind_value_to(self._view, "search", lambda text: text or "").on_value_change(self._show)
            ui.switch(tab.say("pause")).props("data-testid=pause").bind_value_to(self, "_paused")

    async def _open(self, name: str) -> None:
        self._name = name
        self._view.clear()
        await self._ask(None)

    async def _tick(self) -> None:
        if self._paused or time.monotonic() - self._asked < _LOOK_S or not self._tab.gui.link.state.usable:
            return
        await self._ask(self._next)

    async def _ask(self, after: int | None) -> None:
        self._asked, name = time.monotonic(), self._name
        piece = await self._tab.tried(_lines(self._tab, name, after))
        if piece is None:
            self._paused = True  # or the same failure would be told every second
        elif name == self._name and (piece.lines or after is None):
            self._take(piece)

    def _take(self, piece: LogPieceAnswer) -> None:
        self._view.add(piece.lines)
        self._next = piece.next
        self._show()

    def _show(self) -> None:
        """Newest first, so that a new line appears where the person looks."""
        lines = "".join(map(_line, reversed(self._view.shown())))
        self._lines.content = lines or escape(self._tab.say("no_lines"))


async def _lines(tab: Tab, name: str, after: int | None) -> LogPieceAnswer:
    return await tab.client.get(f"/logs/{quote(name, safe='')}", LogPieceAnswer, after=after)


def _line(line: LogLine) -> str:
    time_of_day = formats.time_of_day(line.time_utc) if line.time_utc else ""
    text = escape(f"{time_of_day} {line.level:7} {line.text}")
    return f'<div class="{escape(line.level)}">{text}</div>'
