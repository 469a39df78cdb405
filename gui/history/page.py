"""History: find inspections, count them, take them away as CSV or PDF, judge them again with another version."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from nicegui import run, ui

from gui.gui import Gui
from gui.history.filter import VIEWS, FilterBar, Wanted, wanted
from gui.history.list import List
from gui.history.overview import draw_overview
from gui.history.report import shift_report
from gui.history.report_data import gather
from gui.history.rerun import ask_rerun
from gui.kit.widgets import Do, busy, button, empty
from gui.pictures.downloads import csv_address
from gui.service import history as calls
from gui.service.history import Choice
from gui.shell import Draw, Opening, Page, page
from service.contract.frames import FramesSummary
from service.contract.inspections import InspectionsSummary


def show(gui: Gui) -> None:
    asked = wanted(ui.context.client.request.query_params)
    with page(gui, "history") as here:
        history = _History(here, asked)
        Opening(here, ui.column().classes("w-full gap-3"), history.ask_places).begin()


class _History:
    """Filter, actions, and the list or overview that fits the filter."""

    def __init__(self, here: Page, asked: Wanted) -> None:
        self._here, self._client, self._wanted = here, here.client, asked

    async def ask_places(self) -> Draw:
        return partial(self._draw, await calls.places(self._client))

    async def _draw(self, places: dict[str, list[str]]) -> None:
        bar = FilterBar(self._here, places, self._wanted, self._load)
        bar.draw()
        self._actions(bar)
        self._found = Opening(self._here, ui.column().classes("w-full gap-3"), self._ask)
        await self._load(self._wanted)

    def _actions(self, bar: FilterBar) -> None:
        with ui.row().classes("w-full items-center gap-2"):
            with ui.tabs().props("no-caps inline-label dense align=left") as tabs:
                for name, icon in VIEWS.items():
                    ui.tab(name, self._say(f"view_{name}"), icon).props(f"data-testid=view-{name}")
            tabs.set_value(bar.now.view)
            tabs.on_value_change(lambda event: bar.look_at(event.value))
            ui.space()
            self._total = ui.label().classes("muted number").props("data-testid=total")
            self._button("refresh", "refresh", lambda: self._load(self._wanted))
            self._button("csv", "table_view", self._csv)
            self._pdf = self._button("pdf", "picture_as_pdf", self._report)
            self._button("rerun", "replay", self._rerun)

    def _button(self, name: str, icon: str, do: Do) -> ui.button:
        return button(self._say(name), do, name, "flat no-caps", icon)

    async def _load(self, asked: Wanted) -> None:
        self._wanted = asked
        # in the address too, so that it can be sent to somebody, and the way back comes here
        ui.navigate.history.replace(f"/history?{urlencode(asked.query())}")
        await self._found.load()

    async def _ask(self) -> Draw:
        choice, view = self._choice(), self._wanted.view
        if choice is None:
            return self._no_range
        if view == "overview":
            summary = await calls.summary(self._client, choice)
            return partial(self._overview, summary, await calls.frames_summary(self._client, choice))
        found = List(self._here, choice, view == "parts")
        await found.fetch()
        return partial(found.draw, self._total)

    def _overview(self, summary: InspectionsSummary, frames: FramesSummary | None) -> None:
        self._total.text = ""
        draw_overview(self._here, summary, frames)

    def _no_range(self) -> None:
        self._total.text = ""
        empty("date_range", self._say("no_range"))

    def _choice(self) -> Choice | None:
        """None while a range of one's own is not complete."""
        try:
            return self._wanted.choice(self._here.gui.preferences.now.shifts)
        except ValueError:
            return None

    def _csv(self) -> None:
        if choice := self._choice():
            ui.download(csv_address(choice))

    async def _report(self) -> None:
        choice, gui, pdf = self._choice(), self._here.gui, None
        if choice is None:
            return
        with busy(self._pdf):
            data = await self._here.tried(gather(self._client, choice, gui.preferences.now.station, gui.link.state))
            if data:
                pdf = await run.io_bound(shift_report, data, gui.words, datetime.now().astimezone())
        if pdf:
            name = f"{self._say('report_file')}_{choice.period.since:%Y-%m-%d_%H%M}.pdf"
            ui.download(pdf, name, "application/pdf")

    async def _rerun(self) -> None:
        if choice := self._choice():
            await ask_rerun(self._here, choice)

    def _say(self, key: str) -> str:
        return self._here.words(f"history.{key}")
