"""One inspection: its picture with everything that was found in it, and the facts that are recorded about it."""

from __future__ import annotations

from functools import partial

from nicegui import run, ui

from gui.gui import Gui
from gui.history.frame import draw_frame
from gui.history.picture import drawing, head, show_facts, timings, who
from gui.kit import formats
from gui.kit.svg import BLUE, YELLOW, Size, image, line, polygon, shape_path, svg
from gui.kit.widgets import empty, link
from gui.pictures.display import picture_size
from gui.pictures.heat import heat_layer
from gui.service import history as calls
from gui.service.urls import service_picture
from gui.shell import Draw, Opening, Page, page
from service.contract.inspections import InspectionAnswer


def show(gui: Gui) -> None:
    name = str(ui.context.client.request.path_params["name"])
    with page(gui, "history") as here:
        Opening(here, ui.column().classes("w-full gap-3"), partial(_ask, here, name)).begin()


async def _ask(here: Page, name: str) -> Draw:
    """`name` is the id of an inspection of one ROI, or of a whole part."""
    if found := await calls.inspection(here.client, name):
        size = picture_size(await calls.file(here.client, f"/inspections/{name}/image"))
        heat = await calls.file(here.client, f"/inspections/{name}/heatmap")
        return partial(draw_inspection, here, found, size, await run.io_bound(_layer, heat))
    if frame := await calls.frame(here.client, name):
        size = picture_size(await calls.file(here.client, f"/frames/{name}/image"))
        return partial(draw_frame, here, frame, size, await calls.layout_of(here.client, frame))
    return partial(empty, "search_off", here.words("history.gone"), here.words("history.to_history"), "/history")


def _layer(heat: bytes | None) -> bytes | None:
    try:
        return heat_layer(heat) if heat else None
    except OSError:  # a damaged heat map hides nothing: the regions are drawn all the same
        return None


def draw_inspection(here: Page, found: InspectionAnswer, size: Size | None, layer: bytes | None) -> None:
    with ui.row().classes("w-full items-center no-wrap gap-4"):
        head(here, found.verdict or "none", found.part_id, provisional=found.provisional)
        ui.space()
        _ways(here, found)
    with ui.row().classes("w-full no-wrap items-start gap-4"):
        with ui.column().classes("card col gap-2").style("min-width: 0"):
            _picture(here, found, size, layer)
        with ui.column().classes("card gap-3").style("width: 440px; flex: none"):
            _score(here, found)
            show_facts(here, inspection_facts(here, found))


def _ways(here: Page, found: InspectionAnswer) -> None:
    if found.frame_id:
        link(here.words("history.whole_part"), f"/history/{found.frame_id}", "whole-part", "flat")
    if found.regions:
        way = f"/why?inspection={found.inspection_id}&region=0"
        link(here.words("history.why"), way, "why", icon="help")


def _picture(here: Page, found: InspectionAnswer, size: Size | None, layer: bytes | None) -> None:
    url = service_picture(f"inspections/{found.inspection_id}/image")
    heat_url = here.gui.pictures.put(layer) if layer else ""

    def drawn(heat: bool) -> str:
        if size is None:
            return ""
        parts = [image(url, size), image(heat_url, size) if heat else ""]
        paths = [(shape_path(found.params.shape), BLUE), *((polygon(one.contour), YELLOW) for one in found.regions)]
        parts += [line(path, colour) for path, colour in paths if path]
        return svg(size, "".join(parts), here.words("history.picture"))

    shown = drawing(here, drawn(bool(heat_url)))
    if shown is None:
        return
    shown.props("data-testid=picture")
    if heat_url:
        heat = ui.switch(here.words("history.heat"), value=True).props("data-testid=heat")
        heat.on_value_change(lambda event: shown.set_content(drawn(event.value)))


def _score(here: Page, found: InspectionAnswer) -> None:
    """Score against threshold, which stands in the middle of the bar."""
    score, threshold = (formats.number(value, here.language) for value in (found.score, found.threshold))
    said = ui.label(here.words("history.score_of", score=score, threshold=threshold)).classes("text-h6 number")
    said.props("data-testid=score")
    if not found.threshold:
        return
    share = min(found.score / (2 * found.threshold), 1.0)
    colour = "#b3141f" if found.verdict == "NG" else "#11703c"
    bar = f'<div class=hbar><div style="width:{100 * share:.1f}%;background:{colour}"></div><s></s></div>'
    ui.html(bar, sanitize=False).classes("w-full")


def inspection_facts(here: Page, found: InspectionAnswer) -> dict[str, str | None]:
    language = here.language
    return {
        "time": formats.date_and_time(found.time_utc, language),
        "place": f"{found.role_id} / {found.roi_id}",
        "regions": " · ".join(formats.area(region.area_mm2, language) for region in found.regions),
        "version": str(found.model_version),
        "network": found.params.extractor,
        "scale": f"{formats.number(found.mm_per_px, language, 4)} mm/px",
        "who": who(found.key_name, found.station),
        "timings": timings(here, found.timings_ms),
        "file": found.image_name,
        "hash": found.image_sha256,
        "id": found.inspection_id,
    }
