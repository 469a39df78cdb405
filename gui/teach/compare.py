"""Two versions side by side, on the samples that are stored now."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.service import teaching as calls
from gui.service.urls import service_picture
from gui.teach.desk import Desk, cell
from gui.teach.differences import Difference, differences, errors
from service.contract.models import ModelSummary
from service.contract.samples import InferDatasetAnswer

SHOWN = 24


class Comparison:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.say

    def draw(self) -> None:
        with ui.column().classes("card w-full gap-3") as self._card:
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(self._say("teach.compare_title")).classes("text-h6")
                self._first, self._second = (
                    ui.select([], label=self._say("teach.version")).props(f"outlined dense data-testid=compare-{place}")
                    .style("min-width: 130px")
                    for place in ("first", "second")
                )  # fmt: skip
                self._button = ui.button(self._say("teach.compare"), icon="compare_arrows", on_click=self._compare)
                self._button.props("no-caps data-testid=compare")
            self._result = ui.column().classes("w-full gap-3").props("data-testid=comparison")

    def offer(self, versions: list[ModelSummary]) -> None:
        """Those that can be compared, newest first: the one that judges against the newest."""
        names = [version.model_version for version in versions]
        self._card.set_visibility(len(names) > 1)
        if len(names) < 2:
            return
        current = next((version.model_version for version in versions if version.current), names[1])
        newest = names[0] if names[0] != current else names[1]
        for select, value in ((self._first, current), (self._second, newest)):
            select.set_options(names, value=select.value if select.value in names else value)

    async def _compare(self) -> None:
        desk, wanted = self._desk, (self._first.value, self._second.value)
        self._button.props("loading")
        self._button.disable()
        self._result.clear()
        answers = []
        for version in wanted:
            work = calls.judge_samples(desk.client, desk.role_id, desk.roi_id, version)
            answers.append(await desk.tried(work))
        self._button.props(remove="loading")
        self._button.enable()
        first, second = answers
        if first and second:
            with self._result:
                self._show(first, second)

    def _show(self, first: InferDatasetAnswer, second: InferDatasetAnswer) -> None:
        with ui.element("table").classes("sheet").style("max-width: 760px"):
            with ui.element("tr"):
                cell("th", "")
                for answer in (first, second):
                    cell("th", self._say("teach.version_short", version=answer.model_version))
            self._row("teach.threshold", *(number(a.threshold, self._desk.language, 3) for a in (first, second)))
            for label, key in (("ok", "teach.good_rejected"), ("ng", "teach.bad_passed")):
                self._row(key, *(self._wrong(answer, label) for answer in (first, second)))
        ui.label(self._say("teach.compare_note")).classes("muted")
        if first.threshold is None or second.threshold is None:
            ui.label(self._say("teach.compare_uncalibrated")).classes("text-body1 text-weight-bold")
            return
        found = differences(first, second)
        ui.label(self._say("teach.differences", n=len(found))).classes("text-body1 text-weight-bold")
        with ui.element("div").classes("tiles"):
            for item in found[:SHOWN]:
                self._tile(item)

    def _row(self, key: str, *values: str) -> None:
        with ui.element("tr"):
            cell("td", self._say(key))
            for value in values:
                cell("td", value).classes("number text-weight-bold")

    def _wrong(self, answer: InferDatasetAnswer, label: str) -> str:
        counted = errors(answer.results, "ok" if label == "ok" else "ng")
        wrong = "–" if counted.wrong is None else str(counted.wrong)
        return self._say("teach.of", wrong=wrong, n=counted.n)

    def _tile(self, item: Difference) -> None:
        place = {"role_id": self._desk.role_id, "roi_id": self._desk.roi_id, "label": item.label}
        url = service_picture("datasets/thumbnail", **place, filename=item.filename, side=160)
        with ui.element("div").classes("tile").style("cursor: default"):
            ui.image(url).props('no-transition fit=contain alt=""').classes("thumb")
            ui.label(self._say("teach.sample_is", label=item.label.upper()))
            ui.label(f"{item.first or '–'} → {item.second or '–'}").classes("text-weight-bold")
