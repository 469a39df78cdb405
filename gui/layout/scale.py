"""The scale in mm per pixel: typed, or measured along a line of known length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from nicegui import ui

from gui.kit import formats
from gui.kit.widgets import answer, button, card_dialog
from gui.layout.desk import Desk
from service.contract.words import MAX_MM_PER_PX, MIN_MM_PER_PX

SHORTEST_PX = 10.0  # of a shorter line, one pixel is more than 10 %


def scale_field(desk: Desk) -> None:
    ui.label(desk.words("layout.scale")).classes("text-subtitle1 text-weight-medium")
    with ui.row().classes("w-full items-center no-wrap gap-2"):
        field = ui.number(suffix="mm/px", format="%.6g").props("dense outlined data-testid=scale").classes("col number")
        field.props(f'aria-label="{desk.words("layout.scale")}"')
        start = partial(desk.use, "measure")
        measure = button(desk.words("layout.measure"), start, "measure", "outline no-caps", "straighten")

    def enter() -> None:
        if field.value != desk.editing.draft.mm_per_px:
            _set(desk, field.value)

    def show() -> None:
        field.set_value(desk.editing.draft.mm_per_px)
        for part in (field, measure):
            part.set_enabled(not desk.locked)

    field.on("blur", enter).on("keydown.enter", enter)
    desk.shows(show)


async def measured(desk: Desk, message: Mapping[str, Any]) -> None:
    """Ask how long the line is that was drawn, and set the scale by it."""
    (x0, y0), (x1, y1) = message["from"], message["to"]
    length_px = math.hypot(x1 - x0, y1 - y0)
    if length_px < SHORTEST_PX:
        desk.here.warn(desk.words("layout.line_too_short", px=f"{SHORTEST_PX:g}"))
        desk.refresh()
        return
    length_mm = await _ask_mm(desk, length_px)
    desk.use("select")
    if length_mm:
        # six digits, as the field shows them
        _set(desk, float(f"{length_mm / length_px:.6g}"))


async def _ask_mm(desk: Desk, length_px: float) -> float | None:
    text = formats.number(length_px, desk.words.language, 1)
    with desk.here.root, card_dialog() as dialog:
        ui.label(desk.words("layout.measure_ask", px=text)).classes("text-body1").style("max-width: 420px")
        field = ui.number(desk.words("layout.length"), suffix="mm", min=0).classes("w-full")
        field.props("outlined autofocus data-testid=length").on("keydown.enter", lambda: dialog.submit(field.value))
        with ui.row().classes("w-full justify-end"):
            button(desk.words("shell.cancel"), lambda: dialog.submit(None), look="flat")
            button(desk.words("layout.take_over"), lambda: dialog.submit(field.value), "take-over")
    length_mm = await answer(dialog)
    return float(length_mm) if length_mm and length_mm > 0 else None


def _set(desk: Desk, mm_per_px: float | None) -> None:
    if mm_per_px is None or not MIN_MM_PER_PX <= mm_per_px <= MAX_MM_PER_PX:
        desk.here.warn(desk.words("layout.refused_scale"))
        desk.refresh()
        return
    desk.change(lambda: desk.editing.set_scale(mm_per_px))
