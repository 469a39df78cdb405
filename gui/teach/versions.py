"""Versions of an ROI's model: the one that judges, the others, and how two differ on the stored samples."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from gui.kit.formats import date_and_time, number
from gui.kit.tables import cell, header
from gui.kit.widgets import anew, empty
from gui.teach.compare import Comparison
from gui.teach.desk import Desk
from gui.teach.provisional import accept
from service.contract.models import ActivatedAnswer, ModelSummary

SHOWN = 20
COLUMNS = ("version", "state", "created", "memory", "threshold", "backbone")
ICONS = {
    "teach.damaged": "error", "teach.serves": "play_circle", "teach.serves_uncalibrated": "warning",
    "teach.calibrated": "check_circle", "teach.candidate": "hourglass_empty",
}  # fmt: skip


class VersionsStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words
        self._versions: list[ModelSummary] = []
        self._comparison = Comparison(desk)

    def draw(self) -> None:
        self._table = ui.column().classes("card w-full gap-3")
        self._comparison.draw()

    async def refresh(self) -> None:
        found = await self._desk.here.tried(self._desk.roi.versions())
        if found is None:
            return
        self._versions = found
        with anew(self._table):
            self._show()
        self._comparison.offer([version for version in found if not version.damaged])

    def _show(self) -> None:
        say = self._say
        if not self._versions:
            to_teaching = partial(self._desk.go, "teach")
            empty("layers", say("teach.no_versions"), say("teach.to_teaching"), to_teaching, look="q-pa-lg")
            return
        with ui.row().classes("w-full items-center"):
            ui.label(say("teach.versions_explain")).classes("muted col")
            self._desk.button(
                say("teach.roll_back"), self._roll_back, "roll-back", "outline no-caps", "undo", self._can_roll_back
            )
        with ui.element("table").classes("sheet").props("data-testid=versions"):
            header(*(say(f"teach.{name}") for name in COLUMNS), "")
            for version in self._versions[:SHOWN]:
                self._row(version)

    def _row(self, version: ModelSummary) -> None:
        language, state = self._desk.language, _state(version)
        with ui.element("tr").props(f"data-testid=version-{version.model_version}"):
            cell(str(version.model_version)).classes("text-weight-bold")
            with ui.element("td"):
                with ui.row().classes("items-center no-wrap gap-1"):
                    ui.icon(ICONS[state], size="22px")
                    ui.label(self._say(state))
                    if version.damaged:
                        ui.tooltip(version.damaged)
                self._marks(version)
            cell(date_and_time(version.created_utc, language))
            cell(number(version.coreset_size, language, 0)).classes("number")
            cell(number(version.threshold, language, 3)).classes("number")
            cell(version.backbone or "–")
            with ui.element("td").style("text-align: right"):
                if version.provisional:
                    self._desk.button(
                        self._say("teach.accept_by_name"), partial(self._accept, version),
                        f"accept-{version.model_version}", "flat no-caps", when=partial(bool, not version.damaged),
                    )  # fmt: skip
                text, testid = self._say("teach.activate"), f"activate-{version.model_version}"
                possible = partial(bool, not version.current and not version.damaged)
                self._desk.button(text, partial(self._activate, version), testid, "flat no-caps", when=possible)

    def _marks(self, version: ModelSummary) -> None:
        """What keeps the version's threshold from being relied on."""
        for holds, key in ((version.provisional, "teach.provisional"), (version.old_calibration, "teach.old_way")):
            if holds:
                with ui.row().classes("items-center no-wrap gap-1 text-warning"):
                    ui.icon("warning", size="22px").style("flex: none")
                    ui.label(self._say(key)).classes("text-weight-bold")

    def _can_roll_back(self) -> bool:
        return any(v.activated and not v.current and not v.damaged for v in self._versions)

    async def _accept(self, version: ModelSummary) -> None:
        if await accept(self._desk, version):
            await self.refresh()

    async def _activate(self, version: ModelSummary) -> None:
        n, key = version.model_version, "sure_activate" if version.calibrated else "sure_activate_uncalibrated"
        question = self._say(f"teach.{key}", version=n)
        await self._change(question, "teach.activate", partial(self._desk.roi.activate, n))

    async def _roll_back(self) -> None:
        await self._change(self._say("teach.sure_roll_back"), "teach.roll_back", self._desk.roi.roll_back)

    async def _change(self, question: str, do: str, work: Callable[[], Awaitable[ActivatedAnswer]]) -> None:
        here = self._desk.here
        if not await here.sure(question, self._say(do)):
            return
        if done := await here.tried(work()):
            here.note(self._say("teach.activated", version=done.model_version))
        await self.refresh()


def _state(version: ModelSummary) -> str:
    if version.damaged:
        return "teach.damaged"
    if version.current:
        return "teach.serves" if version.calibrated else "teach.serves_uncalibrated"
    return "teach.calibrated" if version.calibrated else "teach.candidate"
