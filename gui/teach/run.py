"""Teach a new version from the OK samples: progress, time left, result."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from gui.kit.formats import number
from gui.kit.widgets import button
from gui.service.jobs import Following, failure
from gui.teach.desk import Desk
from service.contract.jobs import JobAnswer
from service.contract.models import FitAnswer, StateAnswer

# With fewer samples a calibration is not possible; a good one needs 20.
LEAST_OK, GOOD_OK = 4, 20


class TeachStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words
        self._state: StateAnswer | None = None
        self._shown: tuple[object, ...] = ()
        desk.here.every_tick(self._look)

    def draw(self) -> None:
        with ui.column().classes("card w-full gap-3").style("max-width: 860px"):
            self._samples = ui.label().classes("text-h6").props("data-testid=to-learn")
            self._advice = ui.label().classes("text-body1 muted")
            text, look = self._say("teach.teach_now"), "size=lg no-caps"
            self._desk.button(text, self._begin, "teach", look, "school", self._may_start)
        with ui.column().classes("card w-full gap-2").style("max-width: 860px") as self._card:
            self._card.props("data-testid=lesson aria-live=polite")
            self._stage = ui.label().classes("text-h6").props("data-testid=stage")
            self._bar = ui.linear_progress(0, show_value=False, size="18px").props("rounded instant-feedback")
            with ui.row().classes("w-full items-center"):
                self._left = ui.label().classes("text-body1 number").props("data-testid=left")
                ui.space()
                look = "flat no-caps"
                self._cancel = button(self._say("teach.cancel"), self._stop, "cancel-teaching", look, "close")
            self._outcome = ui.column().classes("w-full gap-2")
        self._card.set_visibility(False)

    async def refresh(self) -> None:
        self._state = await self._desk.here.tried(self._desk.roi.state())
        if self._state is None:
            return
        n_ok, n_ng = self._state.dataset.get("ok", 0), self._state.dataset.get("ng", 0)
        self._samples.text = self._say("teach.to_learn", ok=n_ok, ng=n_ng)
        advice = "too_few" if n_ok < LEAST_OK else "few" if n_ok < GOOD_OK else "enough"
        self._advice.text = self._say(f"teach.advice_{advice}", least=LEAST_OK, good=GOOD_OK)
        self._desk.look()

    @property
    def _lesson(self) -> Following | None:
        return self._desk.here.gui.teaching.of(**self._desk.roi.place)

    def _may_start(self) -> bool:
        lesson = self._lesson
        enough = self._state is not None and self._state.dataset.get("ok", 0) >= LEAST_OK
        return enough and not (lesson and lesson.running)

    async def _begin(self) -> None:
        desk, state = self._desk, self._state
        if state is None or state.mm_per_px is None:
            return
        await desk.here.tried(desk.here.gui.teaching.start(**desk.roi.place, mm_per_px=state.mm_per_px))
        self._look()
        desk.look()

    async def _stop(self) -> None:
        if self._lesson:
            await self._desk.here.tried(self._lesson.cancel())
            self._look()

    def _look(self) -> None:
        lesson = self._lesson
        self._card.set_visibility(lesson is not None)
        if lesson is None:
            return
        job = lesson.job
        self._bar.set_visibility(lesson.running)
        self._cancel.set_visibility(lesson.running)
        self._cancel.set_enabled(not lesson.cancelling)
        self._left.set_visibility(lesson.running)
        if lesson.running:
            self._show_running(lesson, job)
        # the result is drawn once, or its button would be another one twice a second
        shown = (lesson.path, lesson.running, job.state if job else "")
        if shown != self._shown:
            self._shown = shown
            self._show_outcome(lesson, job)

    def _show_running(self, lesson: Following, job: JobAnswer | None) -> None:
        self._stage.text = self._say("teach.cancelling") if lesson.cancelling else self._stage_in_words(job)
        self._bar.value = job.progress if job else 0
        left = lesson.time_left_s
        share = number(100 * (job.progress if job else 0), self._desk.language, 0)
        self._left.text = f"{share} % · {self._say('teach.no_guess') if left is None else self._in_words(left)}"

    def _stage_in_words(self, job: JobAnswer | None) -> str:
        key = f"teach.stage_{(job.stage if job else 'waiting').replace(' ', '_')}"
        return self._say(key if self._say.has(key) else "teach.stage_other")

    def _in_words(self, left_s: float) -> str:
        # in steps of 5 s: a guess that is exact to the second would jump
        if left_s < 60:
            return self._say("teach.left_s", s=max(5, 5 * round(left_s / 5)))
        return self._say("teach.left_min", min=max(1, round(left_s / 60)))

    def _show_outcome(self, lesson: Following, job: JobAnswer | None) -> None:
        self._outcome.clear()
        if lesson.running:
            return
        self._desk.look()
        with self._outcome:
            if job and job.state == "done" and job.result:
                self._show_version(FitAnswer(**job.result))
            else:
                cancelled = job is not None and job.state == "cancelled"
                self._stage.text = self._say("teach.teach_cancelled" if cancelled else "teach.teach_failed")
                ui.label(self._problem(lesson, job)).classes("text-body1").props("data-testid=problem")

    def _problem(self, lesson: Following, job: JobAnswer | None) -> str:
        if job and job.state == "cancelled":
            return self._say("teach.nothing_changed")
        error = failure(job, lesson.error)
        return self._say.problem(error.code, error.detail)

    def _show_version(self, made: FitAnswer) -> None:
        language = self._desk.language
        self._stage.text = self._say("teach.taught", version=made.model_version)
        patches, kept, s = (
            number(value, language, 0) for value in (made.n_embeddings, made.coreset_size, made.duration_s)
        )
        facts = self._say("teach.taught_facts", n=made.n_images, patches=patches, kept=kept, s=s)
        ui.label(facts).classes("text-body1 muted")
        ui.label(self._say("teach.taught_next")).classes("text-body1")
        next_step, text = partial(self._desk.go, "calibrate"), self._say("teach.to_calibration")
        button(text, next_step, "to-calibration", "no-caps", "tune")
