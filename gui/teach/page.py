"""Teach an ROI on one page with four steps: collect samples, teach, set the threshold, choose a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.kit.widgets import empty, select
from gui.service import teaching as calls
from gui.service.layouts import layout
from gui.shell import Draw, Opening, Page, page
from gui.teach.calibrate import CalibrateStep
from gui.teach.desk import Desk, Step, address
from gui.teach.run import TeachStep
from gui.teach.samples import SamplesStep
from gui.teach.versions import VersionsStep
from service.contract.layouts import LayoutAnswer

STEPS: dict[str, tuple[Callable[[Desk], Step], str]] = {
    "samples": (SamplesStep, "photo_library"),
    "teach": (TeachStep, "school"),
    "calibrate": (CalibrateStep, "tune"),
    "versions": (VersionsStep, "layers"),
}


def show(gui: Gui) -> None:
    query = dict(ui.context.client.request.query_params)
    with page(gui, "teach") as here:
        Opening(here, ui.column().classes("w-full gap-2"), partial(_ask, here, query)).begin()


async def _ask(here: Page, query: Mapping[str, str]) -> Draw:
    known = await calls.regions(here.client)
    place = _place(known, query, here.gui.preferences.now.role_id)
    if place is None:
        return partial(empty, "crop_free", here.words("teach.no_regions"), here.words("teach.draw_layout"), "/layout")
    stored = await layout(here.client, place[0], calls.DAMAGED)
    drawn = stored if stored and any(roi.roi_id == place[1] for roi in stored.rois) else None
    return partial(_draw, here, place, drawn, known, query.get("step", ""))


def _place(known: dict[str, list[str]], query: Mapping[str, str], preferred: str) -> tuple[str, str] | None:
    """Role and ROI to open with. An ROI that is named but not known is opened too: it may have samples only."""
    role_id = query.get("role") or (preferred if known.get(preferred) else next(filter(known.get, known), ""))
    roi_id = query.get("roi") or next(iter(known.get(role_id, [])), "")
    if not role_id or not roi_id:
        return None
    rois = known.setdefault(role_id, [])
    if roi_id not in rois:
        rois.append(roi_id)
    return role_id, roi_id


async def _draw(
    here: Page, place: tuple[str, str], drawn: LayoutAnswer | None, known: dict[str, list[str]], opened: str
) -> None:
    desk = Desk(here, *place, drawn)
    with ui.row().classes("w-full items-center gap-4"):
        _choose(desk, known)
        with ui.tabs().props("no-caps inline-label align=left").classes("col") as tabs:
            for number, (name, (_, icon)) in enumerate(STEPS.items(), 1):
                label = f"{number}. {desk.words(f'teach.step_{name}')}"
                ui.tab(name, label, icon).props(f"data-testid=step-{name}")
    first = opened if opened in STEPS else "samples"
    steps = {name: make(desk) for name, (make, _) in STEPS.items()}
    with ui.tab_panels(tabs, value=first, animated=False).classes("w-full").style("background: transparent"):
        for name, step in steps.items():
            with ui.tab_panel(name).classes("step gap-3"):
                step.draw()
    desk.go = tabs.set_value
    tabs.on_value_change(lambda event: steps[event.value].refresh())
    await steps[first].refresh()


def _choose(desk: Desk, known: dict[str, list[str]]) -> None:
    role_id, roi_id = desk.roi.role_id, desk.roi.roi_id
    roles = select(desk.words("teach.role"), list(known), role_id, "role")
    rois = select(desk.words("teach.region"), known[role_id], roi_id, "region")
    roles.on_value_change(lambda event: ui.navigate.to("/teach?" + urlencode({"role": event.value})))
    rois.on_value_change(lambda event: ui.navigate.to(address(role_id, event.value)))
