"""Versions of a ROI's model: which one judges, which others there are, and how two differ on the stored samples."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import date_and_time, number
from gui.service import teaching as calls
from gui.shell import sure
from gui.teach.compare import Comparison
from gui.teach.desk import Desk, cell
from service.contract.models import ModelSummary

SHOWN = 20


class VersionsStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.say
        self._versions: list[ModelSummary] = []
        self._comparison = Comparison(desk)

    def draw(self) -> None:
        self._table = ui.column().classes("card w-full gap-3")
        self._comparison.draw()

    async def refresh(self) -> None:
        desk = self._desk
        found = await desk.tried(calls.versions(desk.client, desk.role_id, desk.roi_id))
        if found is None:
            return
        self._versions = found
        self._table.clear()
        with self._table:
            self._show()
        self._comparison.offer([version for version in found if not version.damaged])

    def _show(self) -> None:
        if not self._versions:
            with ui.column().classes("w-full items-center gap-3 q-pa-lg"):
                ui.icon("layers", size="48px").classes("muted")
                ui.label(self._say("teach.no_versions")).classes("text-h6 text-center")
                ui.button(self._say("teach.to_teaching"), on_click=lambda: self._desk.go("teach")).props("no-caps")
            return
        with ui.row().classes("w-full items-center"):
            ui.label(self._say("teach.versions_explain")).classes("muted col")
            button = ui.button(self._say("teach.roll_back"), icon="undo", on_click=self._roll_back)
            self._desk.guard(button.props("outline no-caps data-testid=roll-back"), self._can_roll_back)
        with ui.element("table").classes("sheet").props("data-testid=versions"):
            with ui.element("tr"):
                for key in (
                    "teach.version",
                    "teach.state",
                    "teach.created",
                    "teach.memory",
                    "teach.threshold",
                    "teach.backbone",
                ):
                    cell("th", self._say(key))
                cell("th", "")
            for version in self._versions[:SHOWN]:
                self._row(version)

    def _row(self, version: ModelSummary) -> None:
        language = self._desk.language
        with ui.element("tr").props(f"data-testid=version-{version.model_version}"):
            cell("td", str(version.model_version)).classes("text-weight-bold")
            with ui.element("td"), ui.row().classes("items-center no-wrap gap-1"):
                ui.icon(_icon(version), size="22px")
                ui.label(self._say(_state(version)))
                if version.damaged:
                    ui.tooltip(version.damaged)
            cell("td", date_and_time(version.created_utc, language))
            cell("td", number(version.coreset_size, language, 0)).classes("number")
            cell("td", number(version.threshold, language, 3)).classes("number")
            cell("td", version.backbone or "–")
            with ui.element("td").style("text-align: right"):
                button = ui.button(self._say("teach.activate"), on_click=lambda: self._activate(version))
                button.props(f"flat no-caps data-testid=activate-{version.model_version}")
                self._desk.guard(button, lambda: not version.current and not version.damaged)

    def _can_roll_back(self) -> bool:
        return any(v.activated and not v.current and not v.damaged for v in self._versions)

    async def _activate(self, version: ModelSummary) -> None:
        desk = self._desk
        key = "teach.sure_activate" if version.calibrated else "teach.sure_activate_uncalibrated"
        with desk.root:
            if not await sure(desk.here, self._say(key, version=version.model_version), self._say("teach.activate")):
                return
        work = calls.activate(desk.client, desk.role_id, desk.roi_id, version.model_version)
        if await desk.tried(work):
            desk.note(self._say("teach.activated", version=version.model_version))
        await self.refresh()

    async def _roll_back(self) -> None:
        desk = self._desk
        with desk.root:
            if not await sure(desk.here, self._say("teach.sure_roll_back"), self._say("teach.roll_back")):
                return
        done = await desk.tried(calls.roll_back(desk.client, desk.role_id, desk.roi_id))
        if done:
            desk.note(self._say("teach.activated", version=done.model_version))
        await self.refresh()


def _state(version: ModelSummary) -> str:
    if version.damaged:
        return "teach.damaged"
    if version.current:
        return "teach.serves" if version.calibrated else "teach.serves_uncalibrated"
    return "teach.calibrated" if version.calibrated else "teach.candidate"


def _icon(version: ModelSummary) -> str:
    return {
        "teach.damaged": "error", "teach.serves": "play_circle", "teach.serves_uncalibrated": "warning",
        "teach.calibrated": "check_circle", "teach.candidate": "hourglass_empty",
    }[_state(version)]  # fmt: skip
