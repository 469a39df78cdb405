"""Training pictures to question: those that look odd among the good ones, or much like bad ones. Out with them."""

from __future__ import annotations

from collections.abc import Awaitable

from nicegui import ui

from gui.kit.formats import number
from gui.kit.svg import picture_svg
from gui.service import teaching as calls
from gui.service.urls import service_picture
from gui.shell import sure
from gui.teach.desk import Desk
from gui.teach.page import address
from service.contract.models import QuestionableSample
from service.contract.samples import SampleAbout

SHOWN = 12


class Questionable:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.say
        self._chosen: set[str] = set()
        self._removed = 0

    def draw(self) -> None:
        guard, some = self._desk.guard, lambda: bool(self._chosen)
        ui.label(self._say("why.question_title")).classes("text-h6")
        ui.label(self._say("why.question_explain")).classes("muted")
        self._tiles = ui.element("div").classes("tiles").props("data-testid=questionable")
        with ui.row().classes("gap-1"):
            for name, icon, do in (
                ("why.to_ng", "swap_horiz", self._to_ng),
                ("why.take_out", "delete", self._take_out),
            ):
                button = ui.button(self._say(name), icon=icon, on_click=do)
                guard(button.props(f"flat no-caps data-testid={name.removeprefix('why.').replace('_', '-')}"), some)
        with ui.row().classes("items-center gap-3") as self._done:
            self._done_text = ui.label().classes("text-body1")
            target = address(self._desk.role_id, self._desk.roi_id, "teach")
            ui.button(self._say("why.teach_again"), icon="school", on_click=lambda: ui.navigate.to(target)).props(
                "no-caps data-testid=teach-again"
            )
        self._done.set_visibility(False)

    async def refresh(self) -> None:
        desk = self._desk
        found = await desk.tried(calls.questionable(desk.client, desk.role_id, desk.roi_id))
        stored = await desk.tried(calls.samples(desk.client, desk.role_id, desk.roi_id, "ok"))
        if found is None or stored is None:
            return
        about = {sample.filename: sample for sample in stored}
        self._chosen.clear()
        self._tiles.clear()
        here = [sample for sample in found.samples if sample.filename in about][:SHOWN]
        with self._tiles:
            for sample in here:
                self._tile(sample, about[sample.filename])
            if not here:
                ui.label(self._say("why.none_to_question")).classes("text-body1").style("grid-column: 1 / -1")
        desk.guard.look()

    def _tile(self, sample: QuestionableSample, about: SampleAbout) -> None:
        with ui.element("button").classes("tile").props("type=button aria-pressed=false data-testid=question") as tile:
            with ui.element("div").classes("thumb"):
                place = {"role_id": self._desk.role_id, "roi_id": self._desk.roi_id, "label": "ok"}
                url = service_picture("datasets/thumbnail", **place, filename=about.filename, side=160)
                drawn = picture_svg(url, about.width, about.height, shape=about.shape, alt=about.source_name)
                ui.html(drawn, sanitize=False).classes("w-full h-full")
            ui.icon("check", size="22px").classes("chosen")
            ui.label(self._reason(sample.reason)).classes("text-weight-bold")
            ui.label(self._say("why.score", score=number(sample.held_out_score, self._desk.language, 2))).classes(
                "number"
            )
        tile.on("click", lambda: self._choose(about.filename, tile))

    def _reason(self, reason: str) -> str:
        key = f"why.reason_{reason}"
        return self._desk.here.words(key) if self._desk.here.words.has(key) else reason

    def _choose(self, filename: str, tile: ui.element) -> None:
        self._chosen ^= {filename}
        tile.props(f"aria-pressed={str(filename in self._chosen).lower()}")
        self._desk.guard.look()

    async def _to_ng(self) -> None:
        await self._remove("why.sure_to_ng", "why.to_ng", move=True)

    async def _take_out(self) -> None:
        await self._remove("why.sure_take_out", "why.take_out", move=False)

    async def _remove(self, question: str, do: str, *, move: bool) -> None:
        desk = self._desk
        with desk.root:
            if not await sure(desk.here, self._say(question, n=len(self._chosen)), self._say(do)):
                return
        for filename in sorted(self._chosen):
            place = (desk.client, desk.role_id, desk.roi_id)
            done: Awaitable[str | int] = (
                calls.move(*place, "ok", filename) if move else calls.delete(*place, "ok", filename)
            )
            if await desk.tried(done) is None:
                break
            self._removed += 1
        self._done_text.text = self._say("why.removed", n=self._removed)
        self._done.set_visibility(self._removed > 0)
        await self.refresh()
