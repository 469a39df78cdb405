"""Stored inspections that another version would judge differently: a job; nothing is recorded."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.kit.tables import cell, header
from gui.kit.widgets import button, link, select
from gui.service.jobs import Following, failure
from gui.service.teaching import usable
from gui.service.urls import service_picture
from gui.teach.desk import Desk
from service.contract.insight import RerunChange, RerunResult

LIMITS = (100, 1000, 5000)
SHOWN = 50


class Changes:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words
        self._job: Following | None = None
        desk.here.every_tick(self._look)

    def draw(self) -> None:
        say = self._say
        ui.label(say("why.changes_title")).classes("text-h6")
        ui.label(say("why.changes_explain")).classes("muted")
        with ui.row().classes("items-center gap-2"):
            self._version = select(say("why.version"), [], None, "version")
            limits = {limit: say("why.last_n", n=number(limit, self._desk.language, 0)) for limit in LIMITS}
            self._limit = select(say("why.which"), limits, LIMITS[0], "limit", 190)
            self._start = button(say("why.judge_again"), self._begin, "rerun", "no-caps", "replay")
            self._start.set_enabled(False)  # until there is a version to judge with
        with ui.row().classes("w-full items-center no-wrap gap-3") as self._running:
            self._bar = ui.linear_progress(0, show_value=False, size="16px").props("rounded instant-feedback")
            button(say("why.cancel"), self._stop, "cancel-rerun", "flat no-caps")
        self._running.set_visibility(False)
        self._result = ui.column().classes("w-full gap-2").props("data-testid=changes")

    async def refresh(self) -> None:
        names = {}
        for version in usable(await self._desk.here.tried(self._desk.roi.versions()) or []):
            key, n = "why.version_serves" if version.current else "why.version_name", version.model_version
            names[n] = self._say(key, version=n)
        self._version.set_options(names, value=next(iter(names), None))
        self._start.set_enabled(bool(names))

    async def _begin(self) -> None:
        work = self._desk.roi.start_rerun(int(self._version.value), int(self._limit.value or LIMITS[0]))
        path = await self._desk.here.tried(work)
        if path is None:
            return
        self._result.clear()
        self._job = Following(self._desk.client, path)
        self._look()

    async def _stop(self) -> None:
        if self._job:
            await self._desk.here.tried(self._job.cancel())

    def _look(self) -> None:
        job = self._job
        self._running.set_visibility(job is not None and job.running)
        if job is None:
            return
        self._start.set_enabled(not job.running)
        self._bar.value = job.job.progress if job.job else 0
        if not job.running:
            self._job = None
            with self._result:
                self._show(job)

    def _show(self, ended: Following) -> None:
        job = ended.job
        if job and job.state == "done" and job.result:
            self._show_changed(RerunResult(**job.result))
            return
        error = failure(job, ended.error)
        said = self._say.problem(error.code, error.detail)
        ui.label(said).classes("text-body1").props("data-testid=problem")

    def _show_changed(self, result: RerunResult) -> None:
        text = self._say("why.changed", n=result.n, changed=result.n_changed, version=result.model_version)
        ui.label(text).classes("text-body1 text-weight-bold").props("data-testid=changed")
        if result.without_picture:
            ui.label(self._say("why.without_picture", n=result.without_picture)).classes("muted")
        if not result.changed:
            return
        with ui.element("table").classes("sheet"):
            header("", self._say("why.verdict"), self._say("why.score_column"), "")
            for item in result.changed[:SHOWN]:
                self._row(item)

    def _row(self, item: RerunChange) -> None:
        language = self._desk.language
        with ui.element("tr").props("data-testid=changed-inspection"):
            with ui.element("td"):
                url = service_picture(f"inspections/{item.inspection_id}/thumbnail", side=96)
                ui.image(url).props('no-transition fit=contain alt=""').style("width: 64px; height: 48px")
            cell(f"{item.old_verdict or '–'} → {item.new_verdict}").classes("text-weight-bold")
            cell(f"{number(item.old_score, language)} → {number(item.new_score, language)}").classes("number")
            with ui.element("td").style("text-align: right"):
                link(self._say("why.look"), f"/history/{item.inspection_id}", look="flat no-caps", icon="search")
