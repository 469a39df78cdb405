"""The samples of a ROI: what is learned from and calibrated with, to look at, sort and mark."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import date_and_time
from gui.kit.svg import picture_svg
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.urls import service_picture
from gui.shell import sure
from gui.teach.add import add_buttons
from gui.teach.desk import Desk
from service.contract.samples import SampleAbout
from service.contract.words import Label, Verdict

ON_A_SHEET = 40
_OTHER: dict[Label, Label] = {"ok": "ng", "ng": "ok"}


class SamplesStep:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._say = desk, desk.say
        self._label: Label = "ok"
        self._samples: dict[Label, list[SampleAbout]] = {"ok": [], "ng": []}
        self._chosen: set[str] = set()
        self._sheet = 1

    @property
    def label(self) -> Label:
        return self._label

    def draw(self) -> None:
        with ui.row().classes("w-full items-center gap-2"):
            self._labels = ui.row().classes("gap-1")
            ui.space()
            add_buttons(self._desk, lambda: self._label, self.refresh)
        with ui.row().classes("w-full items-center gap-1"):
            self._draw_actions()
        self._grid = ui.column().classes("card w-full gap-3")

    async def refresh(self) -> None:
        for label in calls.LABELS:
            found = await self._desk.tried(
                calls.samples(self._desk.client, self._desk.role_id, self._desk.roi_id, label)
            )
            if found is None:
                return
            self._samples[label] = found
        self._chosen &= {sample.filename for sample in self._samples[self._label]}
        self._show()

    def _draw_actions(self) -> None:
        guard, some = self._desk.guard, lambda: bool(self._chosen)
        self._counted = ui.label().classes("text-body1 q-mr-sm").props("data-testid=chosen")
        _action(self._say("teach.choose_all"), "select_all", self._choose_all, "choose-all")
        look = _action(self._say("teach.enlarge"), "zoom_in", self._enlarge, "enlarge")
        look.bind_enabled_from(self, "_chosen", lambda chosen: len(chosen) == 1)
        self._move = guard(_action("", "swap_horiz", self._move_chosen, "move"), some)
        with guard(_action(self._say("teach.golden"), "verified", lambda: None, "golden"), some), ui.menu():
            for key, expected in (("teach.golden_ok", "OK"), ("teach.golden_ng", "NG"), ("teach.golden_none", None)):
                ui.menu_item(
                    self._say(key),
                    lambda expected=expected: self._mark(expected),
                ).props(f"data-testid={key.removeprefix('teach.').replace('_', '-')}")
        guard(_action(self._say("teach.delete"), "delete", self._delete, "delete"), some)

    def _show(self) -> None:
        self._show_labels()
        self._move.text = self._say(f"teach.move_to_{_OTHER[self._label]}")
        self._grid.clear()
        samples = self._samples[self._label]
        sheets = max(1, -(-len(samples) // ON_A_SHEET))
        self._sheet = min(self._sheet, sheets)
        with self._grid:
            if not samples:
                with ui.column().classes("w-full items-center gap-2 q-pa-lg"):
                    ui.icon("add_a_photo", size="48px").classes("muted")
                    ui.label(self._say(f"teach.none_{self._label}")).classes("text-h6 text-center")
            with ui.element("div").classes("tiles").props("data-testid=samples"):
                for sample in samples[(self._sheet - 1) * ON_A_SHEET : self._sheet * ON_A_SHEET]:
                    self._tile(sample)
            if sheets > 1:
                ui.pagination(1, sheets, value=self._sheet, direction_links=True, on_change=self._turn)
        self._show_chosen()

    def _show_labels(self) -> None:
        self._labels.clear()
        with self._labels:
            for label in calls.LABELS:
                text = f"{label.upper()} · {len(self._samples[label])}"
                button = ui.button(text, on_click=lambda label=label: self._open(label))
                chosen = label == self._label
                button.props(f"data-testid=label-{label} aria-pressed={str(chosen).lower()}")
                button.props(f"color={'positive' if label == 'ok' else 'negative'}" + ("" if chosen else " outline"))

    def _tile(self, sample: SampleAbout) -> None:
        chosen = sample.filename in self._chosen
        with ui.element("button").classes("tile").props("type=button data-testid=sample") as tile:
            tile.props(f"aria-pressed={str(chosen).lower()} data-filename={sample.filename}")
            with ui.element("div").classes("thumb"):
                ui.html(self._picture(sample, "thumbnail", side=160), sanitize=False).classes("w-full h-full")
            ui.icon("check", size="22px").classes("chosen")
            if sample.golden:
                ui.label(self._say("teach.golden_mark", verdict=sample.golden)).classes("golden")
        tile.on("click", lambda: self._choose(sample.filename, tile))

    def _picture(self, sample: SampleAbout, kind: str, **query: object) -> str:
        place = {"role_id": self._desk.role_id, "roi_id": self._desk.roi_id, "label": sample.label}
        url = service_picture(f"datasets/{kind}", **place, filename=sample.filename, **query)
        shape = sample.shape
        return picture_svg(url, sample.width, sample.height, shape=shape, alt=sample.source_name or sample.filename)

    def _choose(self, filename: str, tile: ui.element) -> None:
        self._chosen = self._chosen ^ {filename}
        tile.props(f"aria-pressed={str(filename in self._chosen).lower()}")
        self._show_chosen()

    def _choose_all(self) -> None:
        everything = {sample.filename for sample in self._samples[self._label]}
        self._chosen = set() if self._chosen == everything else everything
        self._show()

    def _show_chosen(self) -> None:
        self._counted.text = self._say("teach.chosen", n=len(self._chosen))
        self._desk.guard.look()

    def _open(self, label: Label) -> None:
        self._label, self._chosen, self._sheet = label, set(), 1
        self._show()

    def _turn(self, event: object) -> None:
        self._sheet = int(getattr(event, "value", 1))
        self._show()

    async def _move_chosen(self) -> None:
        desk, label = self._desk, self._label
        for filename in sorted(self._chosen):
            if await desk.tried(calls.move(desk.client, desk.role_id, desk.roi_id, label, filename)) is None:
                break
        await self.refresh()

    async def _mark(self, expected: Verdict | None) -> None:
        desk = self._desk
        try:
            for filename in sorted(self._chosen):
                await calls.mark_golden(desk.client, desk.role_id, desk.roi_id, self._label, filename, expected)
        except ServiceError as error:
            desk.tell(error)
        await self.refresh()

    async def _delete(self) -> None:
        desk, say = self._desk, self._say
        golden = sum(sample.golden is not None for sample in self._samples[self._label] if self._is_chosen(sample))
        question = say("teach.sure_delete", n=len(self._chosen)) + (
            say("teach.sure_golden", n=golden) if golden else ""
        )
        with desk.root:
            if not await sure(desk.here, question, say("teach.delete")):
                return
        try:
            for filename in sorted(self._chosen):
                await calls.delete(desk.client, desk.role_id, desk.roi_id, self._label, filename)
        except ServiceError as error:
            desk.tell(error)
        await self.refresh()

    def _is_chosen(self, sample: SampleAbout) -> bool:
        return sample.filename in self._chosen

    async def _enlarge(self) -> None:
        sample = next(filter(self._is_chosen, self._samples[self._label]))
        with self._desk.root, ui.dialog() as dialog, ui.card().classes("gap-3").style("max-width: 90vw"):
            with ui.element("div").style(f"width: min(70vh, 80vw); aspect-ratio: {sample.width}/{sample.height}"):
                ui.html(self._picture(sample, "file"), sanitize=False).classes("w-full h-full")
            about = self._say(
                "teach.about_sample", name=sample.source_name or sample.filename, width=sample.width,
                height=sample.height, created=date_and_time(sample.created, self._desk.language),
            )  # fmt: skip
            ui.label(about)
            ui.button(self._say("teach.close"), on_click=dialog.close).props("flat").classes("self-end")
        await dialog
        dialog.delete()


def _action(text: str, icon: str, do: object, testid: str) -> ui.button:
    button = ui.button(text, icon=icon, on_click=do)  # type: ignore[arg-type]
    return button.props(f"flat no-caps data-testid={testid}")
