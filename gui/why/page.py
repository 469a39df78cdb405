"""Why is a region NG? The spot, the most similar good ones, which training picture to question, what would change."""

from __future__ import annotations

from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.kit.formats import area, date_and_time, number
from gui.kit.svg import picture_svg
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.urls import service_picture
from gui.shell import Page, empty, page
from gui.teach.desk import Desk, Guard
from gui.teach.page import CSS
from gui.why.changes import Changes
from gui.why.neighbours import show_neighbours
from gui.why.question import Questionable
from service.contract.inspections import InspectionAnswer


def show(gui: Gui) -> None:
    query = ui.context.client.request.query_params
    inspection_id, region = query.get("inspection", ""), query.get("region", "0")
    with page(gui, "why") as here:
        ui.add_css(CSS)
        body = ui.column().classes("w-full gap-3")
        if not inspection_id:
            with body:
                empty("help_center", here.words("why.choose"), here.words("why.to_history"), "/history")
            return
        number_of_region = int(region) if region.isdecimal() else 0
        ui.timer(0, lambda: _load(here, body, inspection_id, number_of_region), once=True)


def address(inspection_id: str, region: int = 0) -> str:
    return "/why?" + urlencode({"inspection": inspection_id, "region": region})


async def _load(here: Page, body: ui.column, inspection_id: str, region: int) -> None:
    try:
        found = await calls.inspection(here.gui.client, inspection_id)
        size = await calls.picture_size(here.gui.client, inspection_id)
    except ServiceError as error:
        body.clear()
        text = here.words("why.gone") if error.code == "not_found" else here.words.problem(error.code, error.detail)
        with body:
            empty("search_off", text, here.words("why.to_history"), "/history")
        return
    with body:
        desk = Desk(here, found.role_id, found.roi_id, Guard(here))
    with desk.root:
        await _draw(desk, found, min(region, max(0, len(found.regions) - 1)), size)


async def _draw(desk: Desk, found: InspectionAnswer, region: int, size: tuple[int, int] | None) -> None:
    with ui.row().classes("w-full no-wrap items-stretch gap-3"):
        with ui.column().classes("card gap-3").style("flex: 0 0 36%; min-width: 0"):
            _picture(desk, found, region, size)
        neighbours = ui.column().classes("card col gap-3").style("min-width: 0").props("data-testid=neighbours")
    questionable, changes = Questionable(desk), Changes(desk)
    with ui.row().classes("w-full no-wrap items-start gap-3"):
        with ui.column().classes("card gap-3").style("flex: 1 1 50%; min-width: 0"):
            questionable.draw()
        with ui.column().classes("card gap-3").style("flex: 1 1 50%; min-width: 0"):
            changes.draw()
    with neighbours:
        await show_neighbours(desk, found, region, size)
    await questionable.refresh()
    await changes.refresh()


def _picture(desk: Desk, found: InspectionAnswer, region: int, size: tuple[int, int] | None) -> None:
    language = desk.language
    verdict = found.verdict or "–"
    with ui.row().classes("w-full items-center no-wrap gap-3"):
        ui.label(verdict).classes("text-h5 text-weight-bold q-px-md").style(
            f"color: #fff; background: {'var(--q-positive)' if verdict == 'OK' else 'var(--q-negative)'};"
            "border-radius: 6px"
        ).props("data-testid=verdict")
        ui.label(f"{found.role_id} / {found.roi_id}").classes("text-h6 ellipsis")
    with ui.element("div").classes("w-full").style("aspect-ratio: 4/3; max-height: 46vh; background: #0002"):
        if size:
            _drawing(found, region, size)
        else:
            ui.label(desk.say("why.picture_gone")).classes("q-pa-md text-body1")
    facts = desk.say(
        "why.facts", score=number(found.score, language, 3), threshold=number(found.threshold, language, 3),
        version=found.model_version, time=date_and_time(found.time_utc, language), part=found.part_id or "–",
    )  # fmt: skip
    ui.label(facts).classes("number")
    if len(found.regions) > 1:
        with ui.row().classes("gap-1"):
            for index, item in enumerate(found.regions[:8]):
                button = ui.button(
                    f"{index + 1} · {area(item.area_mm2, language)}",
                    on_click=lambda index=index: ui.navigate.to(address(found.inspection_id, index)),
                )
                button.props("no-caps" + ("" if index == region else " outline"))


def _drawing(found: InspectionAnswer, region: int, size: tuple[int, int]) -> None:
    svg = picture_svg(
        service_picture(f"inspections/{found.inspection_id}/image"), *size,
        contours=[item.contour for item in found.regions[region : region + 1]], alt=found.image_name or "",
    )  # fmt: skip
    ui.html(svg, sanitize=False).classes("w-full h-full").props("data-testid=picture")
