"""Training pictures to question, because they look odd among the good ones or much like bad ones."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from nicegui import ui

from gui.kit.formats import number
from gui.kit.widgets import Chosen, link
from gui.teach.desk import Desk, address
from service.contract.models import QuestionableSample
from service.contract.samples import SampleAbout

SHOWN = 12


class Questionable:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words
        self._chosen = Chosen(desk.look)
        self._removed = 0

    def draw(self) -> None:
        say, place = self._say, self._desk.roi.place
        ui.label(say("why.question_title")).classes("text-h6")
        ui.label(say("why.question_explain")).classes("muted")
        self._tiles = ui.element("div").classes("tiles").props("data-testid=questionable")
        with ui.row().classes("gap-1"):
            for name, icon, move in (("to_ng", "swap_horiz", True), ("take_out", "delete", False)):
                testid, look, do = name.replace("_", "-"), "flat no-caps", partial(self._remove, name, move=move)
                self._desk.button(say(f"why.{name}"), do, testid, look, icon, lambda: bool(self._chosen))
        with ui.row().classes("items-center gap-3") as self._done:
            self._done_text = ui.label().classes("text-body1")
            again = address(**place, step="teach")
            link(say("why.teach_again"), again, "teach-again", "no-caps", "school")
        self._done.set_visibility(False)

    async def refresh(self) -> None:
        here, roi = self._desk.here, self._desk.roi
        found = await here.tried(roi.questionable())
        stored = await here.tried(roi.samples("ok"))
        if found is None or stored is None:
            return
        about = {sample.filename: sample for sample in stored}
        self._chosen.clear()
        self._tiles.clear()
        # a sample that was deleted since the version was taught cannot be taken out any more
        there = [sample for sample in found.samples if sample.filename in about][:SHOWN]
        with self._tiles:
            for sample in there:
                self._tile(sample, about[sample.filename])
            if not there:
                ui.label(self._say("why.none_to_question")).classes("text-body1").style("grid-column: 1 / -1")
        self._desk.look()

    def _tile(self, sample: QuestionableSample, about: SampleAbout) -> None:
        language, key = self._desk.language, f"why.reason_{sample.reason}"
        with self._chosen.tile(about.filename, self._desk.sample_svg(about), "question"):
            ui.label(self._say(key) if self._say.has(key) else sample.reason).classes("text-weight-bold")
            ui.label(self._say("why.score", score=number(sample.held_out_score, language))).classes("number")

    async def _remove(self, what: str, *, move: bool) -> None:
        here, roi = self._desk.here, self._desk.roi
        if not await here.sure(self._say(f"why.sure_{what}", n=len(self._chosen)), self._say(f"why.{what}")):
            return
        for filename in sorted(self._chosen):
            done: Awaitable[object] = roi.move("ok", filename) if move else roi.delete("ok", filename)
            if await here.tried(done) is None:
                break
            self._removed += 1
        self._done_text.text = self._say("why.removed", n=self._removed)
        self._done.set_visibility(self._removed > 0)
        await self.refresh()
