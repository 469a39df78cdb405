"""One whole part: its picture with the ROIs where they lay, and the way to the inspection of each ROI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gui.history.list import inspection_row
from gui.history.picture import drawing, head, show_facts, timings, who
from gui.kit import formats
from gui.kit.svg import VERDICTS, YELLOW, Size, image, line, shape_path, svg
from gui.service.urls import service_picture
from gui.shell import Page
from service.contract.frames import FrameAnswer
from service.contract.layouts import LayoutAnswer


def draw_frame(here: Page, frame: FrameAnswer, size: Size | None, layout: LayoutAnswer | None) -> None:
    words = here.words
    with ui.row().classes("w-full items-center no-wrap gap-4"):
        head(here, frame.verdict or "ERROR", frame.part_id, provisional=frame.provisional)
    if frame.problem_code:
        ui.label(words.problem(frame.problem_code, frame.problem_detail or "")).classes("card w-full")
    with ui.row().classes("w-full no-wrap items-start gap-4"):
        with ui.column().classes("card col gap-2").style("min-width: 0"):
            url = service_picture(f"frames/{frame.frame_id}/image")
            inside = outlines(frame, layout)
            drawing(here, svg(size, image(url, size) + inside, words("history.picture")) if size else "")
        with ui.column().classes("card gap-3").style("width: 440px; flex: none"):
            show_facts(here, _facts(here, frame))
    rows = "".join(inspection_row(here, one) for one in frame.rois)
    ui.html(f"<div class=hlist>{rows}</div>", sanitize=False).classes("w-full").props("data-testid=rows")


def outlines(frame: FrameAnswer, layout: LayoutAnswer | None) -> str:
    """SVG of the ROIs where the part lay; empty when the layout is not the one that judged the part."""
    if layout is None:
        return ""
    verdicts = {one.roi_id: one.verdict or "" for one in frame.rois}
    drawn = ""
    for roi in layout.rois:
        shape = roi.shape.model_dump()
        x, y = _middle(shape)
        path = line(shape_path(shape), VERDICTS.get(verdicts.get(roi.roi_id, ""), YELLOW))
        drawn += f'<g transform="rotate({roi.angle_deg:g} {x:g} {y:g})">{path}</g>'
    if frame.alignment is None:
        return drawn
    # SVG names a matrix column by column
    (a, b, tx), (c, d, ty) = frame.alignment.matrix
    return f'<g transform="matrix({a:.8g} {c:.8g} {b:.8g} {d:.8g} {tx:.8g} {ty:.8g})">{drawn}</g>'


def _middle(shape: Mapping[str, Any]) -> tuple[float, float]:
    if shape["kind"] == "rect":
        return shape["x"] + shape["w"] / 2, shape["y"] + shape["h"] / 2
    return shape["cx"], shape["cy"]


def _facts(here: Page, frame: FrameAnswer) -> dict[str, str | None]:
    language, lay = here.language, frame.alignment
    moved = [formats.number(value, language, 1) for value in (lay.dx_px, lay.dy_px, lay.angle_deg)] if lay else []
    return {
        "time": formats.date_and_time(frame.time_utc, language),
        "place": frame.role_id,
        "layout": str(frame.layout_revision or "–"),
        **({"alignment": "{} px · {} px · {}°".format(*moved)} if lay else {}),
        "who": who(frame.key_name, frame.station),
        "timings": timings(here, frame.timings_ms),
        "file": frame.image_name,
        "hash": frame.image_sha256,
        "id": frame.frame_id,
    }
