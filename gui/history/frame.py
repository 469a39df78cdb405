"""One part whole: its picture with the regions where they lay, each a way to its own inspection."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from nicegui import ui

from gui.history.list import badge, inspection_row
from gui.history.picture import Sized, facts, line, svg
from gui.kit import formats
from gui.kit.svg import shape_path
from gui.service.urls import service_picture
from gui.shell import Page, empty
from service.contract.frames import FrameAnswer
from service.contract.layouts import LayoutAnswer

_COLOURS = {"OK": "#53d98b", "NG": "#ff5d68", None: "#ffd54a"}


def draw_frame(here: Page, frame: FrameAnswer, size: Sized | None, layout: LayoutAnswer | None) -> None:
    words = here.words
    with ui.row().classes("w-full items-center no-wrap gap-4"):
        ui.button(icon="arrow_back", on_click=ui.navigate.back).props(
            f'flat round aria-label="{words("history.back")}" data-testid=back'
        )
        ui.html(badge(here, frame.verdict or "ERROR", "big"), sanitize=False).props("data-testid=verdict")
        ui.label(frame.part_id or words("history.no_part")).classes("text-h5 ellipsis")
    if frame.problem_code:
        ui.label(words.problem(frame.problem_code, frame.problem_detail or "")).classes("card w-full")
    with ui.row().classes("w-full no-wrap items-start gap-4"):
        with ui.column().classes("card col gap-2").style("min-width: 0"):
            if size is None:
                empty("hide_image", words("history.no_picture"))
            else:
                url = service_picture(f"frames/{frame.frame_id}/image")
                inside = f'<image href="{escape(url)}" width="{size[0]}" height="{size[1]}"/>{outlines(frame, layout)}'
                drawn = svg(*size, inside, words("history.picture"))
                ui.html(drawn, sanitize=False).classes("w-full").style("height: calc(100vh - 300px); min-height: 320px")
        with ui.column().classes("card gap-3").style("width: 440px; flex: none"):
            facts(here, _facts(here, frame))
    rows = "".join(inspection_row(here, one) for one in frame.rois)
    ui.html(f"<div class=hlist>{rows}</div>", sanitize=False).classes("w-full").props("data-testid=rows")


def outlines(frame: FrameAnswer, layout: LayoutAnswer | None) -> str:
    """SVG of the regions where the part lay; nothing when the layout is not the one that judged it."""
    if layout is None:
        return ""
    verdicts: Mapping[str, Any] = {one.roi_id: one.verdict for one in frame.rois}
    drawn = ""
    for roi in layout.rois:
        shape = roi.shape.model_dump()
        x, y = _middle(shape)
        path = line(shape_path(shape), _COLOURS[verdicts.get(roi.roi_id)])
        drawn += f'<g transform="rotate({roi.angle_deg:g} {x:g} {y:g})">{path}</g>'
    if frame.alignment is None:
        return drawn
    (a, b, tx), (c, d, ty) = frame.alignment.matrix
    return f'<g transform="matrix({a:.8g} {c:.8g} {b:.8g} {d:.8g} {tx:.8g} {ty:.8g})">{drawn}</g>'


def _middle(shape: Mapping[str, Any]) -> tuple[float, float]:
    if shape["kind"] == "rect":
        return shape["x"] + shape["w"] / 2, shape["y"] + shape["h"] / 2
    return shape["cx"], shape["cy"]


def _facts(here: Page, frame: FrameAnswer) -> list[tuple[str, str]]:
    language = here.words.language
    timings = " · ".join(
        f"{name} {formats.number(ms, language, 1)} ms" for name, ms in (frame.timings_ms or {}).items()
    )
    rows = [
        ("time", formats.date_and_time(frame.time_utc, language)),
        ("place", frame.role_id),
        ("layout", str(frame.layout_revision or "–")),
        ("who", " · ".join(filter(None, (frame.key_name, frame.station))) or "–"),
        ("timings", timings or "–"),
        ("file", frame.image_name or "–"),
        ("hash", frame.image_sha256 or "–"),
        ("id", frame.frame_id),
    ]
    if frame.alignment:
        lay = frame.alignment
        shift = [formats.number(value, language, 1) for value in (lay.dx_px, lay.dy_px, lay.angle_deg)]
        rows.insert(3, ("alignment", f"{shift[0]} px · {shift[1]} px · {shift[2]}°"))
    return rows
