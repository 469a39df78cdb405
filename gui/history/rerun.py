"""What would another version say of these inspections? Nothing is recorded."""

from __future__ import annotations

from html import escape

from nicegui import ui

from gui.kit import formats
from gui.service import history as calls
from gui.service.client import ServiceError
from gui.service.history import Choice
from gui.shell import Page, notify, tell
from service.contract.insight import RerunResult

MOST, MOST_SHOWN = 1000, 200


async def ask_rerun(here: Page, choice: Choice) -> None:
    words = here.words
    if not choice.role_id or not choice.roi_id:
        notify(words("history.rerun_choose"), "warning")
        return
    try:
        versions = await calls.versions(here.gui.client, choice.role_id, choice.roi_id)
    except ServiceError as error:
        tell(here, error)
        return
    if not versions:
        notify(words("history.rerun_none"), "warning")
        return
    _Dialog(here, choice, versions).open()


class _Dialog:
    def __init__(self, here: Page, choice: Choice, versions: dict[int, bool]) -> None:
        self._here, self._choice, self._versions = here, choice, versions
        self._job = ""

    def open(self) -> None:
        words = self._here.words
        with (
            ui.dialog().props("persistent") as dialog,
            ui.card().classes("gap-4").style("width: 860px; max-width: 95vw"),
        ):
            ui.label(words("history.rerun_title")).classes("text-h6")
            ui.label(words("history.rerun_explain", most=MOST)).classes("muted")
            with ui.row().classes("w-full items-center"):
                names = {version: self._name(version) for version in self._versions}
                self._version = ui.select(names, value=next(iter(names)), label=words("history.version"))
                self._version.props("outlined dense data-testid=rerun-version").style("min-width: 240px")
                self._go = ui.button(words("history.rerun_go"), on_click=self._run).props("data-testid=rerun-go")
            self._bar = ui.element("q-linear-progress").props("size=14px rounded value=0 aria-label=progress")
            self._bar.visible = False
            self._result = ui.column().classes("w-full").style("max-height: 50vh; overflow: auto")
            self._result.props("data-testid=rerun-result")
            with ui.row().classes("w-full justify-end"):
                self._cancel = ui.button(words("shell.cancel"), on_click=self._stop).props("flat")
                self._cancel.visible = False
                ui.button(words("history.close"), on_click=dialog.close).props("flat data-testid=rerun-close")
        dialog.on("hide", dialog.delete)
        dialog.open()

    def _name(self, version: int) -> str:
        key = "history.version_now" if self._versions[version] else "history.version_n"
        return self._here.words(key, n=version)

    async def _run(self) -> None:
        client = self._here.gui.client
        self._working(True)
        try:
            self._job = await calls.start_rerun(client, self._choice, self._version.value, MOST)
            async for job in client.follow(self._job):
                self._bar.props(f"value={job.progress}")
            if job.state == "done":
                self._show(calls.rerun_result(job.result or {}))
            elif job.state == "failed":
                problem = job.problem or {}
                tell(self._here, ServiceError(str(problem.get("code", "")), str(problem.get("detail", ""))))
        except ServiceError as error:
            tell(self._here, error)
        finally:
            self._working(False)

    async def _stop(self) -> None:
        try:
            await self._here.gui.client.cancel(self._job)
        except ServiceError as error:
            tell(self._here, error)

    def _working(self, working: bool) -> None:
        self._bar.visible = self._cancel.visible = working
        self._go.set_enabled(not working)

    def _show(self, found: RerunResult) -> None:
        words, language = self._here.words, self._here.words.language
        self._result.clear()
        with self._result:
            ui.label(words("history.rerun_result", changed=found.n_changed, n=found.n)).classes("text-body1")
            if found.without_picture:
                ui.label(words("history.rerun_without", n=found.without_picture)).classes("muted")
            if not found.changed:
                return
            head = "".join(
                f"<th>{escape(words(f'history.col_{name}'))}</th>" for name in ("inspection", "before", "then")
            )
            body = ""
            for one in found.changed[:MOST_SHOWN]:
                link = f'<a href="/history/{escape(one.inspection_id)}" target=_blank>{escape(one.inspection_id)}</a>'
                old, new = (formats.number(score, language) for score in (one.old_score, one.new_score))
                body += f"<tr><td>{link}</td><td>{one.old_verdict or '–'} · {old}</td>"
                body += f"<td>{one.new_verdict or '–'} · {new}</td></tr>"
            ui.html(f"<table class=hsheet><tr>{head}</tr>{body}</table>", sanitize=False).classes("w-full")
