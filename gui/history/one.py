"""One inspection whole: its picture with what was found, and everything that is written about it."""

from __future__ import annotations

from typing import Any

from nicegui import run, ui

from gui.gui import Gui
from gui.history.frame import draw_frame
from gui.history.list import CSS, badge
from gui.history.picture import Sized, facts, picture, size_of
from gui.kit import formats
from gui.kit.svg import shape_path
from gui.pictures.heat import heat_layer
from gui.service import history as calls
from gui.service.client import ServiceError, may_pass
from gui.service.urls import service_picture
from gui.shell import Page, empty, page
from service.contract.inspections import InspectionAnswer


def show(gui: Gui) -> None:
    name = str(ui.context.client.request.path_params["name"])
    with page(gui, "history") as here:
        ui.add_css(CSS)
        opening = _Opening(here, name, ui.column().classes("w-full gap-3"))
        ui.timer(0, opening.load, once=True)
        here.every_tick(opening.again)


class _Opening:
    """An inspection of a region, or else a whole part of that id."""

    def __init__(self, here: Page, name: str, body: ui.column) -> None:
        self._here, self._name, self._body, self._failed = here, name, body, False

    async def load(self) -> None:
        client, self._failed = self._here.gui.client, False
        try:
            found = await calls.optional(calls.inspection(client, self._name))
            frame = None if found else await calls.optional(calls.frame(client, self._name))
            if found:
                data = await calls.file(client, f"/inspections/{self._name}/image")
                heat = await calls.file(client, f"/inspections/{self._name}/heatmap")
            elif frame:
                data = await calls.file(client, f"/frames/{self._name}/image")
                layout = await calls.layout_of(client, frame)
        except ServiceError as error:
            self._failed = may_pass(error)
            self._body.clear()
            with self._body:
                empty("cloud_off", self._here.words.problem(error.code, error.detail))
            return
        self._body.clear()
        with self._body:
            if found:
                layer = await run.io_bound(_layer, heat)
                size = await run.io_bound(size_of, data)
                draw_inspection(self._here, found, size, layer)
            elif frame:
                draw_frame(self._here, frame, await run.io_bound(size_of, data), layout)
            else:
                words = self._here.words
                empty("search_off", words("history.gone"), words("history.to_history"), "/history")

    async def again(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.load()


def _layer(heat: bytes | None) -> bytes | None:
    try:
        return heat_layer(heat) if heat else None
    except OSError:  # a damaged heat map hides nothing: the regions are drawn all the same
        return None


def draw_inspection(here: Page, found: InspectionAnswer, size: Sized | None, layer: bytes | None) -> None:
    with ui.row().classes("w-full items-center no-wrap gap-4"):
        ui.button(icon="arrow_back", on_click=ui.navigate.back).props(
            f'flat round aria-label="{here.words("history.back")}" data-testid=back'
        )
        ui.html(badge(here, found.verdict or "none", "big"), sanitize=False).props("data-testid=verdict")
        ui.label(found.part_id or here.words("history.no_part")).classes("text-h5 ellipsis")
        ui.space()
        _why(here, found)
    with ui.row().classes("w-full no-wrap items-start gap-4"):
        _picture(here, found, size, layer)
        with ui.column().classes("card gap-3").style("width: 440px; flex: none"):
            _score(here, found)
            facts(here, inspection_facts(here, found))


def _why(here: Page, found: InspectionAnswer) -> None:
    frame_id = getattr(found, "frame_id", None)
    if frame_id:
        ui.button(here.words("history.whole_part"), on_click=lambda: ui.navigate.to(f"/history/{frame_id}")).props(
            "flat data-testid=whole-part"
        )
    if found.regions:
        way = f"/why?inspection={found.inspection_id}&region=0"
        ui.button(here.words("history.why"), icon="help", on_click=lambda: ui.navigate.to(way)).props("data-testid=why")


def _picture(here: Page, found: InspectionAnswer, size: Sized | None, layer: bytes | None) -> None:
    with ui.column().classes("card col gap-2").style("min-width: 0"):
        if size is None:
            empty("hide_image", here.words("history.no_picture"))
            return
        url = service_picture(f"inspections/{found.inspection_id}/image")
        heat_url = here.gui.pictures.put(layer) if layer else ""
        shape: Any = found.params.model_dump().get("shape")
        contours = [region.contour for region in found.regions]

        def drawn(heat: bool) -> str:
            return picture(
                size, url, heat_url if heat else "", contours, shape_path(shape), here.words("history.picture")
            )

        shown = ui.html(drawn(bool(heat_url)), sanitize=False).classes("w-full").props("data-testid=picture")
        shown.style("height: calc(100vh - 300px); min-height: 320px")
        if heat_url:
            heat = ui.switch(here.words("history.heat"), value=True).props("data-testid=heat")
            heat.on_value_change(lambda event: shown.set_content(drawn(event.value)))


def _score(here: Page, found: InspectionAnswer) -> None:
    """Score against threshold, which stands in the middle of the bar."""
    language, threshold = here.words.language, found.threshold
    ui.label(
        here.words(
            "history.score_of", score=formats.number(found.score, language),
            threshold=formats.number(threshold, language),
        )
    ).classes("text-h6 number").props("data-testid=score")  # fmt: skip
    if not threshold:
        return
    share = min(found.score / (2 * threshold), 1.0)
    colour = "#b3141f" if found.verdict == "NG" else "#11703c"
    ui.html(
        f'<div style="position:relative;height:18px;border-radius:9px;background:#8883;overflow:hidden">'
        f'<div style="height:100%;width:{100 * share:.1f}%;background:{colour}"></div>'
        f'<div style="position:absolute;left:50%;top:0;bottom:0;width:3px;background:var(--text)"></div></div>',
        sanitize=False,
    ).classes("w-full")


def inspection_facts(here: Page, found: InspectionAnswer) -> list[tuple[str, str]]:
    language = here.words.language
    areas = " · ".join(formats.area(region.area_mm2, language) for region in found.regions)
    timings = " · ".join(f"{name} {formats.number(ms, language, 1)} ms" for name, ms in found.timings_ms.items())
    scale = f"{formats.number(found.mm_per_px, language, 4)} mm/px"
    return [
        ("time", formats.date_and_time(found.time_utc, language)),
        ("place", f"{found.role_id} / {found.roi_id}"),
        ("regions", areas or "–"),
        ("version", str(found.model_version)),
        ("network", found.params.extractor),
        ("scale", scale),
        ("who", " · ".join(filter(None, (found.key_name, found.station))) or "–"),
        ("timings", timings),
        ("file", found.image_name or "–"),
        ("hash", found.image_sha256),
        ("id", found.inspection_id),
    ]
