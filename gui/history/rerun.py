"""Judge a selection of stored inspections with another version; nothing is recorded."""

from __future__ import annotations

from html import escape

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import Markup, sheet
from gui.kit.widgets import anew, button, card_dialog, notify, progress_bar, select
from gui.service.client import ServiceError
from gui.service.history import Choice
from gui.service.jobs import failure
from gui.service.teaching import TaughtRoi, usable
from gui.shell import Page
from service.contract.insight import RerunChange, RerunResult
from service.contract.models import ModelSummary

MOST, MOST_SHOWN = 1000, 200


async def ask_rerun(here: Page, choice: Choice) -> None:
    if not choice.role_id or not choice.roi_id:
        notify(here.words("history.rerun_choose"), "warning")
        return
    roi = TaughtRoi(here.client, choice.role_id, choice.roi_id)
    versions = await here.tried(roi.versions())
    if versions is None:
        return
    if not usable(versions):
        notify(here.words("history.rerun_none"), "warning")
        return
    _Dialog(here, roi, choice).open(usable(versions))


class _Dialog:
    def __init__(self, here: Page, roi: TaughtRoi, choice: Choice) -> None:
        self._here, self._roi, self._choice = here, roi, choice
        self._job = ""

    def open(self, versions: list[ModelSummary]) -> None:
        words = self._here.words
        with card_dialog("width: 860px; max-width: 95vw") as dialog:
            ui.label(words("history.rerun_title")).classes("text-h6")
            ui.label(words("history.rerun_explain", most=MOST)).classes("muted")
            with ui.row().classes("w-full items-center"):
                names = {version.model_version: self._name(version) for version in versions}
                newest = versions[0].model_version
                self._version = select(words("history.version"), names, newest, "rerun-version", 240)
                self._go = button(words("history.rerun_go"), self._run, "rerun-go")
            self._bar = progress_bar()
            self._result = ui.column().classes("w-full").style("max-height: 50vh; overflow: auto")
            self._result.props("data-testid=rerun-result")
            with ui.row().classes("w-full justify-end"):
                self._cancel = button(words("shell.cancel"), self._stop, look="flat")
                self._cancel.visible = False
                button(words("history.close"), dialog.close, "rerun-close", "flat")
        dialog.on("hide", dialog.delete)
        dialog.open()

    def _name(self, version: ModelSummary) -> str:
        key = "history.version_now" if version.current else "history.version_n"
        return self._here.words(key, n=version.model_version)

    async def _run(self) -> None:
        selection = self._choice.query("role_id", "roi_id", "part_id")
        self._working(True)
        try:
            self._job = await self._roi.start_rerun(self._version.value, MOST, **selection)
            async for job in self._here.client.follow(self._job):
                self._bar.props(f"value={job.progress}")
            if job.state == "done":
                self._show(RerunResult.model_validate(job.result or {}))
            elif job.state == "failed":
                self._here.tell(failure(job))
        except ServiceError as error:
            self._here.tell(error)
        finally:
            self._working(False)

    async def _stop(self) -> None:
        await self._here.tried(self._here.client.cancel(self._job))

    def _working(self, working: bool) -> None:
        self._bar.visible = self._cancel.visible = working
        self._go.set_enabled(not working)

    def _show(self, found: RerunResult) -> None:
        words = self._here.words
        with anew(self._result):
            ui.label(words("history.rerun_result", changed=found.n_changed, n=found.n)).classes("text-body1")
            if found.without_picture:
                ui.label(words("history.rerun_without", n=found.without_picture)).classes("muted")
            if found.changed:
                names = [words(f"history.col_{name}") for name in ("inspection", "before", "then")]
                sheet(names, map(self._row, found.changed[:MOST_SHOWN]))

    def _row(self, one: RerunChange) -> list[str]:
        old, new = (formats.number(score, self._here.language) for score in (one.old_score, one.new_score))
        name = escape(one.inspection_id)
        # in another tab, because the result here would be lost
        way = Markup(f'<a href="/history/{name}" target=_blank>{name}</a>')
        return [way, f"{one.old_verdict or '–'} · {old}", f"{one.new_verdict or '–'} · {new}"]
