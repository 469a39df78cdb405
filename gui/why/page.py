"""Why a region is NG: the spot, the most similar good spots, training pictures to question, what would change."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.kit.formats import area, date_and_time, number
from gui.kit.svg import Size, picture_svg
from gui.kit.widgets import empty, link
from gui.pictures.display import picture_size
from gui.service import history as calls
from gui.service.urls import service_picture
from gui.shell import Draw, Opening, Page, page
from gui.teach.desk import Desk
from gui.why.changes import Changes
from gui.why.neighbours import show_neighbours
from gui.why.question import Questionable
from service.contract.inspections import InspectionAnswer


def show(gui: Gui) -> None:
    query = ui.context.client.request.query_params
    inspection_id, region = query.get("inspection", ""), query.get("region", "0")
    with page(gui, "why") as here:
        body = ui.column().classes("w-full gap-3")
        if not inspection_id:
            with body:
                empty("help_center", here.words("why.choose"), here.words("why.to_history"), "/history")
            return
        number_of_region = int(region) if region.isdecimal() else 0
        Opening(here, body, partial(_ask, here, inspection_id, number_of_region)).begin()


def address(inspection_id: str, region: int = 0) -> str:
    return "/why?" + urlencode({"inspection": inspection_id, "region": region})


async def _ask(here: Page, inspection_id: str, region: int) -> Draw:
    found = await calls.inspection(here.client, inspection_id)
    if found is None:
        return partial(empty, "search_off", here.words("why.gone"), here.words("why.to_history"), "/history")
    size = picture_size(await calls.file(here.client, f"/inspections/{inspection_id}/image"))
    return partial(_draw, here, found, min(region, max(0, len(found.regions) - 1)), size)


async def _draw(here: Page, found: InspectionAnswer, region: int, size: Size | None) -> None:
    desk = Desk(here, found.role_id, found.roi_id)
    with ui.row().classes("w-full no-wrap items-stretch gap-3"):
        with ui.column().classes("card gap-3").style("flex: 0 0 36%; min-width: 0"):
            _picture(desk, found, region, size)
        neighbours = ui.column().classes("card col gap-3").style("min-width: 0").props("data-testid=neighbours")
    questionable, changes = Questionable(desk), Changes(desk)
    with ui.row().classes("w-full no-wrap items-start gap-3"):
        for part in (questionable, changes):
            with ui.column().classes("card gap-3").style("flex: 1 1 50%; min-width: 0"):
                part.draw()
    # the slowest last: the page is there while the service compares
    with neighbours:
        await show_neighbours(desk, found, region, size)
    await questionable.refresh()
    await changes.refresh()


def _picture(desk: Desk, found: InspectionAnswer, region: int, size: Size | None) -> None:
    language, verdict = desk.language, found.verdict or "–"
    with ui.row().classes("w-full items-center no-wrap gap-3"):
        said = ui.label(verdict).classes("text-h5 text-weight-bold q-px-md").props("data-testid=verdict")
        colour = "positive" if verdict == "OK" else "negative"
        said.style(f"color: #fff; background: var(--q-{colour}); border-radius: 6px")
        ui.label(f"{found.role_id} / {found.roi_id}").classes("text-h6 ellipsis")
    with ui.element("div").classes("w-full").style("aspect-ratio: 4/3; max-height: 46vh; background: #0002"):
        if size:
            url = service_picture(f"inspections/{found.inspection_id}/image")
            contours = [item.contour for item in found.regions[region : region + 1]]
            drawn = picture_svg(url, *size, contours=contours, alt=found.image_name or "")
            ui.html(drawn, sanitize=False).classes("w-full h-full").props("data-testid=picture")
        else:
            ui.label(desk.words("why.picture_gone")).classes("q-pa-md text-body1")
    facts = desk.words(
        "why.facts", score=number(found.score, language, 3), threshold=number(found.threshold, language, 3),
        version=found.model_version, time=date_and_time(found.time_utc, language), part=found.part_id or "–",
    )  # fmt: skip
    ui.label(facts).classes("number")
    if len(found.regions) > 1:
        with ui.row().classes("gap-1"):
            for index, item in enumerate(found.regions[:8]):
                look = "no-caps" if index == region else "no-caps outline"
                link(f"{index + 1} · {area(item.area_mm2, language)}", address(found.inspection_id, index), look=look)
