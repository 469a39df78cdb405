"""Two versions side by side, on the samples that are stored now."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.kit.tables import bold, sheet
from gui.kit.widgets import busy, button, select, thumbnail, tile
from gui.teach.desk import Desk
from gui.teach.differences import differences, errors
from service.contract.models import ModelSummary
from service.contract.samples import InferDatasetAnswer, SampleScore
from service.contract.words import Label

SHOWN = 24  # samples whose scores differ most


class Comparison:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words

    def draw(self) -> None:
        with ui.column().classes("card w-full gap-3") as self._card:
            with ui.row().classes("w-full items-center gap-3"):
                ui.label(self._say("teach.compare_title")).classes("text-h6")
                version = self._say("teach.version")
                self._first, self._second = (
                    select(version, [], None, f"compare-{place}", 130) for place in ("first", "second")
                )
                self._button = button(self._say("teach.compare"), self._compare, "compare", "no-caps", "compare_arrows")
            self._result = ui.column().classes("w-full gap-3").props("data-testid=comparison")

    def offer(self, versions: list[ModelSummary]) -> None:
        """Versions that can be compared, newest first; preset is the one that judges against the newest."""
        names = [version.model_version for version in versions]
        self._card.set_visibility(len(names) > 1)
        if len(names) < 2:
            return
        current = next((version.model_version for version in versions if version.current), names[1])
        newest = names[0] if names[0] != current else names[1]
        for field, value in ((self._first, current), (self._second, newest)):
            field.set_options(names, value=field.value if field.value in names else value)

    async def _compare(self) -> None:
        desk, wanted = self._desk, (self._first.value, self._second.value)
        self._result.clear()
        with busy(self._button):
            # one after the other: both would wait for the same device
            first, second = [await desk.here.tried(desk.roi.judge_samples(version)) for version in wanted]
        if first and second:
            with self._result:
                self._show(first, second)

    def _show(self, first: InferDatasetAnswer, second: InferDatasetAnswer) -> None:
        say, both = self._say, (first, second)
        rows = [[say("teach.threshold"), *(bold(number(one.threshold, self._desk.language, 3)) for one in both)]]
        labels: tuple[tuple[Label, str], ...] = (("ok", "teach.good_rejected"), ("ng", "teach.bad_passed"))
        rows += [[say(key), *(bold(self._wrong(one, label)) for one in both)] for label, key in labels]
        with ui.element("div").style("max-width: 760px; width: 100%"):
            sheet(["", *(say("teach.version_short", version=one.model_version) for one in both)], rows)
        ui.label(say("teach.compare_note")).classes("muted")
        if first.threshold is None or second.threshold is None:
            ui.label(say("teach.compare_uncalibrated")).classes("text-body1 text-weight-bold")
            return
        found = differences(first, second)
        ui.label(say("teach.differences", n=len(found))).classes("text-body1 text-weight-bold")
        with ui.element("div").classes("tiles"):
            for pair in found[:SHOWN]:
                self._tile(*pair)

    def _wrong(self, answer: InferDatasetAnswer, label: Label) -> str:
        wrong, n = errors(answer.results, label)
        return self._say("teach.of", wrong="–" if wrong is None else str(wrong), n=n)

    def _tile(self, one: SampleScore, two: SampleScore) -> None:
        with tile(thumbnail(self._desk.roi.sample_url(one.label, one.filename))):
            ui.label(self._say("teach.sample_is", label=one.label.upper()))
            ui.label(f"{one.verdict} → {two.verdict}").classes("text-weight-bold")
