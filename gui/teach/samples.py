"""The samples of an ROI, from which it is taught and calibrated: look at them, sort them, mark golden ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import events, ui

from gui.kit.formats import date_and_time
from gui.kit.widgets import Chosen, Do, anew, answer, button, card_dialog, empty
from gui.service.teaching import LABELS, OTHER
from gui.teach.add import add_buttons
from gui.teach.desk import Desk
from service.contract.samples import SampleAbout
from service.contract.words import Label, Verdict

ON_A_SHEET = 40  # tiles: each loads a thumbnail of its own
GOLDEN: tuple[tuple[str, Verdict | None], ...] = (("ok", "OK"), ("ng", "NG"), ("none", None))


class SamplesStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.words
        self._label: Label = "ok"
        self._samples: dict[Label, list[SampleAbout]] = {"ok": [], "ng": []}
        self._chosen = Chosen(self._show_chosen)
        self._sheet = 1

    def draw(self) -> None:
        with ui.row().classes("w-full items-center gap-2"):
            self._labels = ui.row().classes("gap-1")
            ui.space()
            add_buttons(self._desk, lambda: self._label, self.refresh)
        with ui.row().classes("w-full items-center gap-1"):
            self._draw_actions()
        self._grid = ui.column().classes("card w-full gap-3")

    async def refresh(self) -> None:
        for label in LABELS:
            found = await self._desk.here.tried(self._desk.roi.samples(label))
            if found is None:
                return
            self._samples[label] = found
        self._chosen &= {sample.filename for sample in self._samples[self._label]}
        self._show()

    def _draw_actions(self) -> None:
        say = self._say
        self._counted = ui.label().classes("text-body1 q-mr-sm").props("data-testid=chosen")
        button(say("teach.choose_all"), self._choose_all, "choose-all", "flat no-caps", "select_all")
        look = button(say("teach.enlarge"), self._enlarge, "enlarge", "flat no-caps", "zoom_in")
        look.bind_enabled_from(self, "_chosen", lambda chosen: len(chosen) == 1)
        self._move = self._action("", "swap_horiz", self._move_chosen, "move")
        with self._action(say("teach.golden"), "verified", lambda: None, "golden"), ui.menu():
            for name, expected in GOLDEN:
                item = ui.menu_item(say(f"teach.golden_{name}"), partial(self._mark, expected))
                item.props(f"data-testid=golden-{name}")
        self._action(say("teach.delete"), "delete", self._delete, "delete")

    def _action(self, text: str, icon: str, do: Do, testid: str) -> ui.button:
        """A button that acts on the selected samples."""
        return self._desk.button(text, do, testid, "flat no-caps", icon, when=lambda: bool(self._chosen))

    def _show(self) -> None:
        self._show_labels()
        self._move.text = self._say(f"teach.move_to_{OTHER[self._label]}")
        samples = self._samples[self._label]
        sheets = max(1, -(-len(samples) // ON_A_SHEET))
        self._sheet = min(self._sheet, sheets)
        with anew(self._grid):
            if not samples:
                empty("add_a_photo", self._say(f"teach.none_{self._label}"), look="q-pa-lg")
            with ui.element("div").classes("tiles").props("data-testid=samples"):
                for sample in samples[(self._sheet - 1) * ON_A_SHEET : self._sheet * ON_A_SHEET]:
                    self._tile(sample)
            if sheets > 1:
                ui.pagination(1, sheets, value=self._sheet, direction_links=True, on_change=self._turn)
        self._show_chosen()

    def _show_labels(self) -> None:
        with anew(self._labels):
            for label in LABELS:
                text, chosen = f"{label.upper()} · {len(self._samples[label])}", label == self._label
                look = f"color={'positive' if label == 'ok' else 'negative'}" + ("" if chosen else " outline")
                look += f" aria-pressed={str(chosen).lower()}"
                button(text, partial(self._open, label), f"label-{label}", look)

    def _tile(self, sample: SampleAbout) -> None:
        with self._chosen.tile(sample.filename, self._desk.sample_svg(sample), "sample") as made:
            made.props(f"data-filename={sample.filename}")
            if sample.golden:
                ui.label(self._say("teach.golden_mark", verdict=sample.golden)).classes("golden")

    def _choose_all(self) -> None:
        """A second press selects nothing."""
        everything = {sample.filename for sample in self._samples[self._label]}
        if self._chosen == everything:
            self._chosen.clear()
        else:
            self._chosen.update(everything)
        self._show()

    def _show_chosen(self) -> None:
        self._counted.text = self._say("teach.chosen", n=len(self._chosen))
        self._desk.look()

    def _open(self, label: Label) -> None:
        self._label, self._sheet = label, 1
        self._chosen.clear()
        self._show()

    def _turn(self, event: events.ValueChangeEventArguments[int | None]) -> None:
        self._sheet = event.value or 1
        self._show()

    async def _move_chosen(self) -> None:
        await self._each(lambda filename: self._desk.roi.move(self._label, filename))

    async def _mark(self, expected: Verdict | None) -> None:
        await self._each(lambda filename: self._desk.roi.mark_golden(self._label, filename, expected))

    async def _delete(self) -> None:
        say, golden = self._say, sum(sample.golden is not None for sample in self._chosen_samples())
        question = say("teach.sure_delete", n=len(self._chosen))
        question += say("teach.sure_golden", n=golden) if golden else ""
        if await self._desk.here.sure(question, say("teach.delete")):
            await self._each(lambda filename: self._desk.roi.delete(self._label, filename))

    async def _each(self, work: Callable[[str], Awaitable[object]]) -> None:
        """Work on each selected sample, up to the first one that the service refuses."""
        for filename in sorted(self._chosen):
            if await self._desk.here.tried(work(filename)) is None:
                break
        await self.refresh()

    def _chosen_samples(self) -> list[SampleAbout]:
        return [sample for sample in self._samples[self._label] if sample.filename in self._chosen]

    async def _enlarge(self) -> None:
        sample = self._chosen_samples()[0]
        with self._desk.here.root, card_dialog("max-width: 90vw", persistent=False) as dialog:
            with ui.element("div").style(f"width: min(70vh, 80vw); aspect-ratio: {sample.width}/{sample.height}"):
                ui.html(self._desk.sample_svg(sample, side=None), sanitize=False).classes("w-full h-full")
            about = self._say(
                "teach.about_sample", name=sample.source_name or sample.filename, width=sample.width,
                height=sample.height, created=date_and_time(sample.created, self._desk.language),
            )  # fmt: skip
            if sample.part_id:
                about += f" · {self._say('teach.part_number')}: {sample.part_id}"
            ui.label(about)
            button(self._say("teach.close"), dialog.close, look="flat").classes("self-end")
        await answer(dialog)
