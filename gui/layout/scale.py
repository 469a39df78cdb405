"""How many mm a pixel is: typed, or measured along a line of known length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gui.kit import formats
from gui.layout.desk import Desk
from service.contract.words import MAX_MM_PER_PX, MIN_MM_PER_PX

SHORTEST_PX = 10.0  # one pixel more or less is 10 % of it


def scale_field(desk: Desk) -> None:
    ui.label(desk.words("layout.scale")).classes("text-subtitle1 text-weight-medium")
    with ui.row().classes("w-full items-center no-wrap gap-2"):
        field = ui.number(suffix="mm/px", format="%.6g").props("dense outlined data-testid=scale").classes("col number")
        field.props(f'aria-label="{desk.words("layout.scale")}"')
        measure = ui.button(desk.words("layout.measure"), icon="straighten", on_click=lambda: desk.use("measure"))
        measure.props("outline no-caps data-testid=measure")

    def enter() -> None:
        if field.value != desk.editing.draft.mm_per_px:
            _set(desk, field.value)

    def show() -> None:
        field.set_value(desk.editing.draft.mm_per_px)
        for part in (field, measure):
            part.set_enabled(not desk.editing.draft.locked)

    field.on("blur", enter).on("keydown.enter", enter)
    desk.shows(show)


async def measured(desk: Desk, message: Mapping[str, Any]) -> None:
    """A line was drawn over something whose length is known."""
    (x0, y0), (x1, y1) = message["from"], message["to"]
    length_px = math.hypot(x1 - x0, y1 - y0)
    if length_px < SHORTEST_PX:
        desk.warn(desk.words("layout.line_too_short", px=f"{SHORTEST_PX:g}"))
        desk.refresh()
        return
    length_mm = await _ask_mm(desk, length_px)
    desk.use("select")
    if length_mm:
        _set(desk, float(f"{length_mm / length_px:.6g}"))


async def _ask_mm(desk: Desk, length_px: float) -> float | None:
    text = formats.number(length_px, desk.words.language, 1)
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-4"):
        ui.label(desk.words("layout.measure_ask", px=text)).classes("text-body1").style("max-width: 420px")
        field = ui.number(desk.words("layout.length"), suffix="mm", min=0).props(
            "outlined autofocus data-testid=length"
        )
        field.classes("w-full").on("keydown.enter", lambda: dialog.submit(field.value))
        with ui.row().classes("w-full justify-end"):
            ui.button(desk.words("shell.cancel"), on_click=lambda: dialog.submit(None)).props("flat")
            ui.button(desk.words("layout.take_over"), on_click=lambda: dialog.submit(field.value)).props(
                "data-testid=take-over"
            )
    dialog.open()
    length_mm = await dialog
    dialog.delete()
    return float(length_mm) if length_mm and length_mm > 0 else None


def _set(desk: Desk, mm_per_px: float | None) -> None:
    if mm_per_px is None or not MIN_MM_PER_PX <= mm_per_px <= MAX_MM_PER_PX:
        desk.warn(desk.words("layout.refused_scale"))
        desk.refresh()
        return
    desk.change(lambda: desk.editing.set_scale(mm_per_px))
