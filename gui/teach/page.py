"""Teach a ROI: collect samples, teach, set the threshold, adopt. One page, four steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.shell import Page, empty, page
from gui.teach.calibrate import CalibrateStep
from gui.teach.desk import Desk, Guard, Step
from gui.teach.run import TeachStep
from gui.teach.samples import SamplesStep
from gui.teach.versions import VersionsStep

STEPS: dict[str, tuple[Callable[[Desk], Step], str]] = {
    "samples": (SamplesStep, "photo_library"),
    "teach": (TeachStep, "school"),
    "calibrate": (CalibrateStep, "tune"),
    "versions": (VersionsStep, "layers"),
}
CSS = """
.step { padding: 4px 0 0 0; }
.frozen { background: #fff3d6; color: #5c3d00; border-color: #d9a400; padding: 8px 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(124px, 1fr)); gap: 10px; width: 100%; }
.tile { position: relative; padding: 4px; border: 2px solid transparent; border-radius: 8px; cursor: pointer;
        background: var(--page); color: var(--text); font-size: 14px; text-align: center; }
.tile .thumb { width: 100%; aspect-ratio: 1; overflow: hidden; border-radius: 4px; background: #0003; }
.tile[aria-pressed=true] { border-color: var(--q-primary);
        background: color-mix(in srgb, var(--q-primary) 22%, transparent); }
.tile .chosen { position: absolute; top: 8px; right: 8px; border-radius: 50%; background: var(--q-primary);
                color: #fff; display: none; }
.tile[aria-pressed=true] .chosen { display: block; }
.tile .golden { position: absolute; top: 8px; left: 8px; padding: 1px 6px; border-radius: 6px; background: #ffd54a;
                color: #201600; font-size: 14px; font-weight: 700; }
.facts { display: grid; grid-template-columns: max-content auto; gap: 4px 16px; }
.sheet { border-collapse: collapse; width: 100%; font-size: 15px; }
.sheet th { text-align: left; font-weight: 600; color: var(--muted); padding: 6px 12px; }
.sheet td { padding: 6px 12px; border-top: 1px solid var(--line); }
"""


def show(gui: Gui) -> None:
    query = ui.context.client.request.query_params
    with page(gui, "teach") as here:
        ui.add_css(CSS)
        body = ui.column().classes("w-full gap-2")
        opening = _Opening(here, body, dict(query))
        ui.timer(0, opening.load, once=True)
        here.every_tick(opening.again)


class _Opening:
    """Asks which ROIs there are; again by itself when the service was away."""

    def __init__(self, here: Page, body: ui.column, query: Mapping[str, str]) -> None:
        self._here, self._body, self._query = here, body, query
        self._failed = False

    async def load(self) -> None:
        self._failed = False
        try:
            known = await calls.regions(self._here.gui.client)
            place = _place(known, self._query, self._here.gui.preferences.now.role_id)
            layout = await calls.layout(self._here.gui.client, place[0]) if place else None
        except ServiceError as error:
            self._failed = True
            self._body.clear()
            with self._body:
                empty("cloud_off", self._here.words.problem(error.code, error.detail))
            return
        self._body.clear()
        with self._body:
            if place is None:
                words = self._here.words
                empty("crop_free", words("teach.no_regions"), words("teach.draw_layout"), "/layout")
                return
            drawn = layout if layout and any(roi.roi_id == place[1] for roi in layout.rois) else None
            await _draw(Desk(self._here, *place, Guard(self._here), drawn), known, self._query.get("step", ""))

    async def again(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.load()


def _place(known: dict[str, list[str]], query: Mapping[str, str], preferred: str) -> tuple[str, str] | None:
    """Role and ROI to open with. One that is named but not known is opened too: it may have samples only."""
    role_id = query.get("role") or (preferred if known.get(preferred) else next(filter(known.get, known), ""))
    roi_id = query.get("roi") or next(iter(known.get(role_id, [])), "")
    if not role_id or not roi_id:
        return None
    rois = known.setdefault(role_id, [])
    if roi_id not in rois:
        rois.append(roi_id)
    return role_id, roi_id


def address(role_id: str, roi_id: str, step: str = "") -> str:
    return "/teach?" + urlencode({"role": role_id, "roi": roi_id} | ({"step": step} if step else {}))


async def _draw(desk: Desk, known: dict[str, list[str]], opened: str) -> None:
    with desk.root:
        with ui.row().classes("w-full items-center gap-4"):
            _choose(desk, known)
            with ui.tabs().props("no-caps inline-label align=left").classes("col") as tabs:
                for number, (name, (_, icon)) in enumerate(STEPS.items(), 1):
                    label = f"{number}. {desk.say(f'teach.step_{name}')}"
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
    roles = ui.select(list(known), value=desk.role_id, label=desk.say("teach.role")).props("outlined dense")
    roles.style("min-width: 150px").props("data-testid=role")
    rois = ui.select(known[desk.role_id], value=desk.roi_id, label=desk.say("teach.region")).props("outlined dense")
    rois.style("min-width: 150px").props("data-testid=region")
    roles.on_value_change(lambda event: ui.navigate.to("/teach?" + urlencode({"role": event.value})))
    rois.on_value_change(lambda event: ui.navigate.to(address(desk.role_id, event.value)))
