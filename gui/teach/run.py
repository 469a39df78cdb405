"""Teach a new version from the OK samples: how far it is, how long it takes yet, and what came out."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.jobs import Following
from gui.teach.desk import Desk
from service.contract.jobs import JobAnswer
from service.contract.models import FitAnswer, StateAnswer

# Below that a calibration is not possible; a good one needs more.
LEAST_OK, GOOD_OK = 4, 20


class TeachStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.say
        self._state: StateAnswer | None = None
        self._shown: tuple[object, ...] = ()
        desk.here.every_tick(self._look)

    def draw(self) -> None:
        with ui.column().classes("card w-full gap-3").style("max-width: 860px"):
            self._samples = ui.label().classes("text-h6").props("data-testid=to-learn")
            self._advice = ui.label().classes("text-body1 muted")
            self._start = ui.button(self._say("teach.teach_now"), icon="school", on_click=self._begin)
            self._start.props("size=lg no-caps data-testid=teach")
            self._desk.guard(self._start, self._may_start)
        with ui.column().classes("card w-full gap-2").style("max-width: 860px").props(
            "data-testid=lesson aria-live=polite"
        ) as self._card:  # fmt: skip
            self._stage = ui.label().classes("text-h6").props("data-testid=stage")
            self._bar = ui.linear_progress(0, show_value=False, size="18px").props("rounded instant-feedback")
            with ui.row().classes("w-full items-center"):
                self._left = ui.label().classes("text-body1 number").props("data-testid=left")
                ui.space()
                self._cancel = ui.button(self._say("teach.cancel"), icon="close", on_click=self._stop)
                self._cancel.props("flat no-caps data-testid=cancel-teaching")
            self._outcome = ui.column().classes("w-full gap-2")
        self._card.set_visibility(False)

    async def refresh(self) -> None:
        desk = self._desk
        self._state = await desk.tried(calls.state(desk.client, desk.role_id, desk.roi_id))
        if self._state is None:
            return
        n_ok, n_ng = self._state.dataset.get("ok", 0), self._state.dataset.get("ng", 0)
        self._samples.text = self._say("teach.to_learn", ok=n_ok, ng=n_ng)
        advice = (
            "teach.advice_too_few"
            if n_ok < LEAST_OK
            else "teach.advice_few"
            if n_ok < GOOD_OK
            else "teach.advice_enough"
        )
        self._advice.text = self._say(advice, least=LEAST_OK, good=GOOD_OK)
        desk.guard.look()

    @property
    def _lesson(self) -> Following | None:
        return self._desk.here.gui.teaching.of(self._desk.role_id, self._desk.roi_id)

    def _may_start(self) -> bool:
        lesson = self._lesson
        enough = self._state is not None and self._state.dataset.get("ok", 0) >= LEAST_OK
        return enough and not (lesson and lesson.running)

    async def _begin(self) -> None:
        desk, state = self._desk, self._state
        if state is None or state.mm_per_px is None:
            return
        await desk.tried(desk.here.gui.teaching.start(desk.role_id, desk.roi_id, state.mm_per_px))
        self._look()
        desk.guard.look()

    async def _stop(self) -> None:
        if self._lesson:
            await self._desk.tried(self._lesson.cancel())
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
        return self._desk.here.words(key if self._desk.here.words.has(key) else "teach.stage_other")

    def _in_words(self, left_s: float) -> str:
        if left_s < 60:
            return self._say("teach.left_s", s=max(5, 5 * round(left_s / 5)))
        return self._say("teach.left_min", min=max(1, round(left_s / 60)))

    def _show_outcome(self, lesson: Following, job: JobAnswer | None) -> None:
        self._outcome.clear()
        if lesson.running:
            return
        self._desk.guard.look()
        with self._outcome:
            if job and job.state == "done" and job.result:
                self._show_version(FitAnswer(**job.result))
            else:
                self._stage.text = self._say(
                    "teach.teach_cancelled" if job and job.state == "cancelled" else "teach.teach_failed"
                )
                ui.label(self._problem(lesson, job)).classes("text-body1").props("data-testid=problem")

    def _problem(self, lesson: Following, job: JobAnswer | None) -> str:
        words = self._desk.here.words
        if job and job.state == "cancelled":
            return self._say("teach.nothing_changed")
        if job and job.problem:
            return words.problem(str(job.problem.get("code", "")), str(job.problem.get("detail", "")))
        error = lesson.error or ServiceError("other", "")
        return words.problem(error.code, error.detail)

    def _show_version(self, made: FitAnswer) -> None:
        language = self._desk.language
        self._stage.text = self._say("teach.taught", version=made.model_version)
        ui.label(
            self._say(
                "teach.taught_facts", n=made.n_images, patches=number(made.n_embeddings, language, 0),
                kept=number(made.coreset_size, language, 0), s=number(made.duration_s, language, 0),
            )
        ).classes("text-body1 muted")  # fmt: skip
        ui.label(self._say("teach.taught_next")).classes("text-body1")
        ui.button(self._say("teach.to_calibration"), icon="tune", on_click=lambda: self._desk.go("calibrate")).props(
            "no-caps data-testid=to-calibration"
        )
