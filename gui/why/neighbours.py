"""The spot that decided, beside the most similar spots that the model has learned as good."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.kit.svg import Box, picture_svg
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.urls import service_picture
from gui.teach.desk import Desk
from service.contract.insight import ExplainAnswer, Neighbour
from service.contract.inspections import InspectionAnswer
from service.contract.samples import SampleAbout

# How much is seen around a spot, as a multiple of its size, and at least so many pixels.
ROUND, LEAST_PX = 5.0, 48.0


async def show_neighbours(desk: Desk, found: InspectionAnswer, region: int, size: tuple[int, int] | None) -> None:
    """Into the open card."""
    ui.label(desk.say("why.neighbours_title")).classes("text-h6")
    if not found.regions or size is None:
        ui.label(desk.say("why.no_regions" if size else "why.picture_gone")).classes("text-body1")
        return
    spinner = ui.spinner(size="48px").classes("self-center q-ma-lg")
    try:
        answer = await calls.explain(desk.client, found.inspection_id, region)
        stored = await calls.samples(desk.client, desk.role_id, desk.roi_id, "ok")
    except ServiceError as error:
        spinner.delete()
        key = "why.explain_gone" if error.code == "not_found" else ""
        text = desk.say(key) if key else desk.here.words.problem(error.code, error.detail)
        ui.label(text).classes("text-body1").props("data-testid=problem")
        return
    spinner.delete()
    ui.label(_meaning(desk, found, answer)).classes("text-body1").props("data-testid=meaning")
    with ui.element("div").classes("tiles").style("grid-template-columns: repeat(auto-fill, minmax(150px, 1fr))"):
        _spot(desk, found, answer, size)
        about = {sample.filename: sample for sample in stored}
        for neighbour in answer.neighbours:
            _neighbour(desk, neighbour, about.get(neighbour.filename or ""))


def _meaning(desk: Desk, found: InspectionAnswer, answer: ExplainAnswer) -> str:
    """What a person may conclude; two sentences, the second says what to do."""
    nearest = min((neighbour.distance for neighbour in answer.neighbours), default=answer.distance)
    threshold = found.threshold or 0.0
    times = number(nearest / threshold, desk.language, 1) if threshold else "–"
    return desk.say("why.meaning", times=times)


def _spot(desk: Desk, found: InspectionAnswer, answer: ExplainAnswer, size: tuple[int, int]) -> None:
    box = Box(answer.patch.x, answer.patch.y, answer.patch.w, answer.patch.h)
    url = service_picture(f"inspections/{found.inspection_id}/image")
    drawn = picture_svg(url, *size, view=box.around(ROUND, LEAST_PX, *size), boxes=[box], alt=desk.say("why.this_spot"))
    with ui.element("div").classes("tile").style("cursor: default; border-color: var(--q-negative)"):
        with ui.element("div").classes("thumb"):
            ui.html(drawn, sanitize=False).classes("w-full h-full")
        ui.label(desk.say("why.this_spot")).classes("text-weight-bold")
        ui.label(desk.say("why.part", part=found.part_id or "–")).classes("ellipsis")


def _neighbour(desk: Desk, neighbour: Neighbour, about: SampleAbout | None) -> None:
    with ui.element("div").classes("tile").style("cursor: default").props("data-testid=neighbour"):
        with ui.element("div").classes("thumb"):
            if about:
                box = Box(neighbour.x, neighbour.y, neighbour.w, neighbour.h)
                place = {"role_id": desk.role_id, "roi_id": desk.roi_id, "label": "ok"}
                url = service_picture("datasets/file", **place, filename=about.filename)
                size = about.width, about.height
                view = box.around(ROUND, LEAST_PX, *size)
                drawn = picture_svg(url, *size, view=view, boxes=[box], alt=about.source_name)
                ui.html(drawn, sanitize=False).classes("w-full h-full")
            else:
                ui.label(desk.say("why.not_stored")).classes("q-pa-md muted")
        ui.label(desk.say("why.differs", distance=number(neighbour.distance, desk.language, 2))).classes("number")
        ui.label((about.source_name or about.filename) if about else "–").classes("ellipsis")
