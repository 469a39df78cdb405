"""History: what was inspected, found again, counted, taken away as CSV or PDF, judged anew."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from nicegui import run, ui

from gui.gui import Gui
from gui.history.filter import VIEWS, FilterBar, Wanted, wanted
from gui.history.list import CSS, List
from gui.history.overview import draw_overview
from gui.history.report import shift_report
from gui.history.report_data import gather
from gui.history.rerun import ask_rerun
from gui.pictures.downloads import csv_address
from gui.service import history as calls
from gui.service.client import ServiceError, may_pass
from gui.service.history import Choice
from gui.shell import Page, empty, page, tell


def show(gui: Gui) -> None:
    asked = wanted(ui.context.client.request.query_params)
    with page(gui, "history") as here:
        ui.add_css(CSS)
        history = _History(here, ui.column().classes("w-full gap-3"))
        ui.timer(0, lambda: history.open(asked), once=True)
        here.every_tick(history.again)


class _History:
    """Filter, actions and what fits the filter; asks again by itself when the service was away."""

    def __init__(self, here: Page, root: ui.column) -> None:
        self._here, self._client, self._root = here, here.gui.client, root
        self._wanted, self._failed, self._turn = Wanted(), False, 0

    async def open(self, asked: Wanted) -> None:
        self._wanted, self._failed = asked, False
        try:
            places = await calls.places(self._client)
        except ServiceError as error:
            self._fail(self._root, error)
            return
        self._root.clear()
        with self._root:
            bar = FilterBar(self._here, places, asked, self._load)
            bar.draw()
            self._actions(bar)
            self._body = ui.column().classes("w-full gap-3")
        await self._load(asked)

    async def again(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.open(self._wanted)

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

    def _button(self, name: str, icon: str, do: object) -> ui.button:
        button = ui.button(self._say(name), icon=icon, on_click=do)  # type: ignore[arg-type]
        return button.props(f"flat no-caps data-testid={name}")

    async def _load(self, asked: Wanted) -> None:
        self._wanted, self._turn = asked, self._turn + 1
        turn = self._turn
        ui.navigate.history.replace(f"/history?{urlencode(asked.query())}")
        if (choice := self._choice()) is None:
            return
        try:
            if asked.view == "overview":
                summary = await calls.summary(self._client, choice)
                frames = await calls.frames_summary(self._client, choice)
            else:
                found = List(self._here, choice, asked.view == "parts")
                await found.fetch()
        except ServiceError as error:
            if turn == self._turn:
                self._fail(self._body, error)
            return
        if turn != self._turn:  # a newer wish is on its way
            return
        self._body.clear()
        with self._body:
            if asked.view == "overview":
                self._total.text = ""
                draw_overview(self._here, summary, frames)
            else:
                found.draw(self._total)

    def _choice(self) -> Choice | None:
        """None while a range of one's own is not complete: that is said instead."""
        try:
            return self._wanted.choice(self._here.gui.preferences.now.shifts)
        except ValueError:
            self._body.clear()
            self._total.text = ""
            with self._body:
                empty("date_range", self._say("no_range"))
            return None

    def _csv(self) -> None:
        if choice := self._choice():
            ui.download(csv_address(choice))

    async def _report(self) -> None:
        choice, gui = self._choice(), self._here.gui
        if choice is None:
            return
        self._pdf.props("loading")
        try:
            data = await gather(self._client, choice, gui.preferences.now.station, gui.link.state)
            pdf = await run.io_bound(shift_report, data, gui.words, datetime.now().astimezone())
            if pdf:
                ui.download(
                    pdf, f"{self._say('report_file')}_{choice.period.since:%Y-%m-%d_%H%M}.pdf", "application/pdf"
                )
        except ServiceError as error:
            tell(self._here, error)
        finally:
            self._pdf.props(remove="loading")

    async def _rerun(self) -> None:
        if choice := self._choice():
            await ask_rerun(self._here, choice)

    def _fail(self, where: ui.column, error: ServiceError) -> None:
        self._failed = may_pass(error)
        where.clear()
        with where:
            empty("cloud_off", self._here.words.problem(error.code, error.detail))

    def _say(self, key: str) -> str:
        return self._here.words(f"history.{key}")
