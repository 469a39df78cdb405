"""Beside the drawing: the list of ROIs and marks, and the numbers of the selected item, in pixels and in mm."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from gui.kit.widgets import anew, button, redrawn
from gui.layout.desk import Desk
from gui.layout.geometry import NUMBERS
from service.contract.layouts import Mark, Roi

_ICONS = {"rect": "crop_square", "circle": "radio_button_unchecked", "annulus": "trip_origin"}


def things(desk: Desk) -> None:
    """Every ROI and mark by name, so that it can be selected without a pointer."""
    ui.label(desk.words("layout.regions")).classes("text-subtitle1 text-weight-medium")
    nothing = ui.label(desk.words("layout.no_regions")).classes("muted").props("data-testid=no-regions")
    listed = ui.column().classes("w-full gap-1")

    def draw(rows: list[tuple[str, str, str]], selected: str | None) -> None:
        for key, name, icon in rows:
            chosen = key == selected
            look = f"no-caps align=left aria-pressed={str(chosen).lower()} {'unelevated' if chosen else 'flat'}"
            button(name, partial(_choose, desk, key), key.replace(":", "-"), look, icon).classes("w-full thing")

    draw_changed = redrawn(listed, draw)

    def show() -> None:
        rows = _rows(desk)
        nothing.set_visibility(not rows)
        draw_changed(rows, desk.editing.selected)

    desk.shows(show)


def numbers(desk: Desk) -> None:
    """Name and numbers of the selected item."""
    panel = ui.column().classes("w-full gap-2").props("data-testid=numbers")
    shown: list[object] = []
    fields: list[_Field] = []

    def show() -> None:
        roi, mark = desk.editing.roi, desk.editing.mark
        panel.set_visibility(roi is not None or mark is not None)
        kind = roi.shape.kind if roi else "rect"
        state = [desk.editing.selected, kind, roi.roi_id if roi else "", desk.editing.draft.mm_per_px is None]
        # fields are made again only for another item, or the cursor would leave the field while a person types
        if state != shown:
            shown[:] = state
            fields.clear()
            with anew(panel):
                if roi is not None:
                    _name(desk, roi)
                names = (*NUMBERS[kind], "angle") if roi else NUMBERS["rect"]
                fields.extend(_Field(desk, name) for name in names if roi or mark)
        for field in fields:
            field.show()

    desk.shows(show)


class _Field:
    """One number, a length also in mm when the scale is known. Enter, or leaving the field, takes it over."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self._name = desk, name
        self._fields: dict[str, ui.number] = {}  # by unit
        with ui.row().classes("w-full items-center no-wrap gap-2"):
            ui.label(desk.words(f"layout.number_{name}")).classes("text-body2").style("width: 96px; flex: none")
            self._number("°" if name == "angle" else "px", f"number-{name}")
            if name != "angle" and desk.editing.draft.mm_per_px is not None:
                self._number("mm", f"number-{name}-mm")

    def show(self) -> None:
        for unit, field in self._fields.items():
            field.set_value(self._shown(unit))
            field.set_enabled(not self._desk.locked)

    def _number(self, unit: str, testid: str) -> None:
        field = ui.number(suffix=unit).props(f"dense outlined data-testid={testid}").classes("col number")
        field.props(f'aria-label="{self._desk.words(f"layout.number_{self._name}")} {unit}"')
        enter = partial(self._enter, unit)
        field.on("blur", enter).on("keydown.enter", enter)
        self._fields[unit] = field

    def _scale(self, unit: str) -> float:
        """Of now, because the scale may change while the fields stay."""
        return (self._desk.editing.draft.mm_per_px or 0.0) if unit == "mm" else 1.0

    def _shown(self, unit: str) -> float:
        return round(_value(self._desk, self._name) * self._scale(unit), 3 if unit == "mm" else 2)

    def _enter(self, unit: str) -> None:
        key, entered, scale = self._desk.editing.selected, self._fields[unit].value, self._scale(unit)
        # compared with the rounded number, or leaving a field untouched would move the shape by its rounding
        if key is None or not scale or entered == self._shown(unit):
            return
        if entered is None:
            self.show()
            return
        self._desk.change(lambda: self._desk.editing.reshape(key, {self._name: round(entered / scale, 3)}))


def _name(desk: Desk, roi: Roi) -> None:
    field = ui.input(desk.words("layout.name"), value=roi.roi_id).classes("w-full")
    field.props("dense outlined data-testid=name").set_enabled(not desk.locked)

    def enter() -> None:
        now = desk.editing.roi
        if now is not None and field.value != now.roi_id and not desk.change(lambda: desk.editing.rename(field.value)):
            field.set_value(now.roi_id)

    field.on("blur", enter).on("keydown.enter", enter)


def _choose(desk: Desk, key: str) -> None:
    desk.change(lambda: desk.editing.select(key))


def _rows(desk: Desk) -> list[tuple[str, str, str]]:
    draft = desk.editing.draft
    rois = [(f"roi:{n}", roi.roi_id, _ICONS[roi.shape.kind]) for n, roi in enumerate(draft.rois)]
    for n in range(len(draft.marks)):
        rois.append((f"mark:{n}", desk.words("layout.mark", n=n + 1), "center_focus_weak"))
        rois.append((f"search:{n}", desk.words("layout.search", n=n + 1), "select_all"))
    return rois


def _value(desk: Desk, name: str) -> float:
    roi, mark = desk.editing.roi, desk.editing.mark
    if roi is not None:
        return roi.angle_deg if name == "angle" else float(getattr(roi.shape, name))
    assert isinstance(mark, Mark)
    in_search = (desk.editing.selected or "").startswith("search")
    return float(getattr(mark.search if in_search else mark, name))
