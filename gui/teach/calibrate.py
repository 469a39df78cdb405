"""The threshold of a version: a chart of the scores, the threshold as a line over it, its meaning, adopt."""

from __future__ import annotations

from functools import partial

from nicegui import events, ui

from gui.kit.formats import date_and_time, number
from gui.kit.widgets import anew, button, empty, redrawn, select, tile
from gui.line.latest import Latest
from gui.service.teaching import LABELS
from gui.teach.adopt import adopt
from gui.teach.chart import ScoreChart
from gui.teach.desk import Desk
from gui.teach.provisional import provisional_note
from gui.teach.rates import show_rates
from gui.teach.score_axis import Scored, axis, nearest
from service.contract.models import (
    DEFAULT_PERCENTILE,
    CalibrationAnswer,
    ModelScoresAnswer,
    ModelSummary,
    NgScore,
    StateAnswer,
)
from service.contract.rules import MIN_OK_SCORES, doubts
from service.contract.samples import SampleAbout

NEAR = 4  # pictures on each side of the threshold


class CalibrateStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._roi, self._say = desk, desk.roi, desk.words
        self._version: int | None = None
        self._versions: list[ModelSummary] = []
        self._state: StateAnswer | None = None
        self._scores: ModelScoresAnswer | None = None
        self._suggested: CalibrationAnswer | None = None
        self._found: CalibrationAnswer | None = None
        self._about: dict[str, SampleAbout] = {}
        self._told: float | None = None
        self._preview = Latest(self._try)

    def draw(self) -> None:
        self._body = ui.column().classes("w-full gap-3")

    async def refresh(self) -> None:
        """Ask for everything again, because samples and versions may have changed in another step."""
        found = await self._desk.here.tried(self._roi.versions())
        if found is None:
            return
        self._versions = [version for version in found if not version.damaged]
        if self._version not in [version.model_version for version in self._versions]:
            # the newest, because it was just taught
            self._version = self._versions[0].model_version if self._versions else None
        with anew(self._body):
            if self._version is None:
                to_teaching = partial(self._desk.go, "teach")
                empty("school", self._say("teach.nothing_to_calibrate"), self._say("teach.to_teaching"), to_teaching)
                return
            ui.spinner(size="48px").classes("self-center q-ma-xl")
        await self._load(self._version)

    async def _load(self, version: int) -> None:
        tried, roi = self._desk.here.tried, self._roi
        self._state = await tried(roi.state())
        self._scores = await tried(roi.scores(version))
        samples = [sample for label in LABELS for sample in await tried(roi.samples(label)) or []]
        self._about = {sample.filename: sample for sample in samples}
        self._suggested = self._found = None
        if self._scores and len(self._scores.ok) >= MIN_OK_SCORES:
            self._suggested = await tried(roi.try_threshold(self._scores, self._mm_per_px, None))
        with anew(self._body):
            self._draw_loaded()

    @property
    def _mm_per_px(self) -> float:
        return (self._state.mm_per_px if self._state else None) or 1.0

    def _draw_loaded(self) -> None:
        scores, suggested = self._scores, self._suggested
        with ui.row().classes("w-full items-center gap-3"):
            self._draw_choice()
            if scores and suggested:
                self._draw_line_buttons(suggested)
        if scores is None:
            return
        if suggested is None:
            self._sentences = ui.column().classes("card w-full gap-2").props("data-testid=evidence")
            self._show_sentences(scores, DEFAULT_PERCENTILE, None)
            return
        start = scores.threshold or suggested.threshold
        ok, ng = [sample.score for sample in scores.ok], [sample.score for sample in scores.ng]
        along = axis(ok, ng, suggested.threshold)
        with ui.row().classes("w-full no-wrap gap-3 items-stretch"):
            with ui.column().classes("col gap-3").style("min-width: 0"):
                with ui.column().classes("card w-full gap-1"):
                    self._chart = ScoreChart(self._desk, ok, ng, along, start, suggested.threshold, self._moved)
                self._pictures = ui.row().classes("w-full no-wrap gap-3")
            with ui.column().classes("card gap-3").style("width: 320px; flex: none"):
                self._rates = ui.column().classes("w-full gap-3").props("data-testid=rates")
                self._sentences = ui.column().classes("w-full gap-2").props("data-testid=evidence")
        # a drag over an empty stretch must not load the pictures again
        self._show_nearest = redrawn(self._pictures, self._draw_nearest)
        self._set(start)

    def _draw_choice(self) -> None:
        names = {version.model_version: self._name(version) for version in self._versions}
        select(self._say("teach.version"), names, self._version, "version", 250, self._choose)

    def _name(self, version: ModelSummary) -> str:
        key = "teach.serves" if version.current else "teach.calibrated" if version.calibrated else "teach.candidate"
        return self._say("teach.version_name", version=version.model_version, state=self._say(key))

    def _draw_line_buttons(self, suggested: CalibrationAnswer) -> None:
        self._number = ui.number(self._say("teach.threshold"), min=0, format="%.6g").props("outlined dense")
        self._number.style("width: 140px").props("data-testid=threshold").on("blur", self._typed)
        self._number.on("keydown.enter", self._typed)
        text = self._say("teach.suggested", value=number(suggested.threshold, self._desk.language, 3))
        use = partial(self._set, suggested.threshold)
        button(text, use, "suggested", "outline no-caps", "auto_fix_high")
        ui.space()
        text, possible = self._say("teach.adopt"), lambda: self._found is not None
        self._desk.button(text, self._adopt, "adopt", "no-caps", "task_alt", possible)

    async def _choose(self, event: events.ValueChangeEventArguments[int]) -> None:
        self._version = event.value
        await self.refresh()

    def _typed(self) -> None:
        # only a number that was changed: one that is left as it stands is rounded, and would be somebody's own
        if self._number.value and float(self._number.value) != self._told:
            self._set(float(self._number.value))

    def _set(self, threshold: float) -> None:
        """Move the line. A value beyond the axis counts, although the line stops at its end."""
        self._chart.move(threshold)
        self._moved(threshold)

    def _moved(self, threshold: float) -> None:
        self._number.value = self._told = round(threshold, self._chart.along.digits + 1)
        self._preview.ask(threshold)

    async def _try(self, threshold: float) -> None:
        scores = self._scores
        if scores is None:
            return
        found = await self._desk.here.tried(self._roi.try_threshold(scores, self._mm_per_px, threshold))
        if found is None or self._rates.is_deleted:  # the person has gone to another version meanwhile
            return
        self._found = found
        self._desk.look()
        with anew(self._rates):
            provisional_note(self._desk, found)
            show_rates(self._desk, found)
        self._show_sentences(scores, found.score_percentile, found.overlap)
        self._show_nearest(*nearest([*scores.ok, *scores.ng], threshold, NEAR))

    def _show_sentences(self, scores: ModelScoresAnswer, percentile: float, overlap: bool | None) -> None:
        ok_parts, ng_parts = (len({sample.part for sample in known}) for known in (scores.ok, scores.ng))
        found = doubts(len(scores.ok), len(scores.ng), percentile, overlap, ok_parts=ok_parts, ng_parts=ng_parts)
        with anew(self._sentences):
            for doubt in found:
                with ui.row().classes("no-wrap items-start gap-2"):
                    ui.icon("info", size="22px").classes("text-warning").style("flex: none")
                    ui.label(self._say(f"teach.{doubt.code}", **doubt.values)).style("font-size: 15px")

    def _draw_nearest(self, below: list[Scored], above: list[Scored]) -> None:
        for key, samples in (("teach.just_ok", below[::-1]), ("teach.just_ng", above)):
            with ui.column().classes("card col gap-1").style("min-width: 0; padding: 10px") as card:
                card.props(f"data-testid={key.removeprefix('teach.').replace('_', '-')}")
                ui.label(self._say(key)).classes("text-body1 text-weight-bold")
                with ui.element("div").classes("tiles").style(f"grid-template-columns: repeat({NEAR}, 1fr)"):
                    for sample in samples:
                        self._tile(sample)

    def _tile(self, sample: Scored) -> None:
        about = self._about.get(sample.filename or "")
        with tile(self._desk.sample_svg(about) if about else ""):
            label = "NG" if isinstance(sample, NgScore) else "OK"
            ui.label(f"{label} {number(sample.score, self._desk.language)}").classes("number")
            if about:
                named = [about.source_name, date_and_time(about.created, self._desk.language), about.part_id]
                ui.tooltip(" · ".join(filter(None, named)))

    async def _adopt(self) -> None:
        await self._preview.settled()
        if self._found is None or self._scores is None:
            return
        before = next((version for version in self._versions if version.current), None)
        if await adopt(self._desk, self._scores, self._mm_per_px, self._found, before):
            await self.refresh()
