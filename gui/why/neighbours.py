"""The spot that decided the verdict, beside the most similar spots that the model has learned as good."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.kit.svg import Box, Size, picture_svg
from gui.kit.widgets import tile
from gui.service.client import ServiceError
from gui.service.teaching import explain
from gui.service.urls import service_picture
from gui.teach.desk import Desk
from service.contract.insight import ExplainAnswer, Neighbour
from service.contract.inspections import InspectionAnswer
from service.contract.samples import SampleAbout

# The view around a spot: five times its size, and at least so many pixels, or nobody would know where it lies.
ROUND, LEAST_PX = 5.0, 48.0


async def show_neighbours(desk: Desk, found: InspectionAnswer, region: int, size: Size | None) -> None:
    """Draw into the open card."""
    ui.label(desk.words("why.neighbours_title")).classes("text-h6")
    if not found.regions or size is None:
        ui.label(desk.words("why.no_regions" if size else "why.picture_gone")).classes("text-body1")
        return
    spinner = ui.spinner(size="48px").classes("self-center q-ma-lg")
    try:
        answer = await explain(desk.client, found.inspection_id, region)
        stored = await desk.roi.samples("ok")
    except ServiceError as error:
        gone = error.code == "not_found"
        text = desk.words("why.explain_gone") if gone else desk.words.problem(error.code, error.detail)
        ui.label(text).classes("text-body1").props("data-testid=problem")
        return
    finally:
        spinner.delete()
    ui.label(_meaning(desk, found, answer)).classes("text-body1").props("data-testid=meaning")
    with ui.element("div").classes("tiles").style("grid-template-columns: repeat(auto-fill, minmax(150px, 1fr))"):
        _spot(desk, found, answer, size)
        about = {sample.filename: sample for sample in stored}
        for neighbour in answer.neighbours:
            _neighbour(desk, neighbour, about.get(neighbour.filename or ""))


def _meaning(desk: Desk, found: InspectionAnswer, answer: ExplainAnswer) -> str:
    """What a person may conclude, in two sentences; the second one says what to do."""
    nearest = min((neighbour.distance for neighbour in answer.neighbours), default=answer.distance)
    threshold = found.threshold or 0.0
    times = number(nearest / threshold, desk.language, 1) if threshold else "–"
    return desk.words("why.meaning", times=times)


def _spot(desk: Desk, found: InspectionAnswer, answer: ExplainAnswer, size: Size) -> None:
    box = Box(answer.patch.x, answer.patch.y, answer.patch.w, answer.patch.h)
    url, name = service_picture(f"inspections/{found.inspection_id}/image"), desk.words("why.this_spot")
    drawn = picture_svg(url, *size, view=box.around(ROUND, LEAST_PX, *size), boxes=[box], alt=name)
    with tile(drawn) as made:
        made.style("border-color: var(--q-negative)")
        ui.label(name).classes("text-weight-bold")
        ui.label(desk.words("why.part", part=found.part_id or "–")).classes("ellipsis")


def _neighbour(desk: Desk, neighbour: Neighbour, about: SampleAbout | None) -> None:
    drawn = ""
    if about:
        box = Box(neighbour.x, neighbour.y, neighbour.w, neighbour.h)
        view = box.around(ROUND, LEAST_PX, about.width, about.height)
        drawn = desk.sample_svg(about, side=None, view=view, boxes=[box])
    with tile(drawn, "neighbour", missing=desk.words("why.not_stored")):
        ui.label(desk.words("why.differs", distance=number(neighbour.distance, desk.language, 2))).classes("number")
        ui.label((about.source_name or about.filename) if about else "–").classes("ellipsis")
