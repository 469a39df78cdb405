"""The source of pictures: choose it, see its live picture, set its exposure, try its trigger."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from nicegui import events, ui

from gui.gui import Gui
from gui.kit import formats
from gui.kit.widgets import busy, button, redrawn
from gui.line import live
from gui.pictures.display import displayed
from gui.service.client import ServiceError
from gui.setup.sources_form import SourceForm
from gui.shell import Page, page
from gui.sources.base import Exposure, SourceError
from gui.sources.making import KINDS


def show(gui: Gui) -> None:
    with page(gui, "sources") as here, ui.row().classes("w-full no-wrap items-start gap-4"):
        with ui.column().classes("card gap-3").style("width: 440px; flex: none"):
            _choice(here)
        with ui.column().classes("card gap-3 col").style("min-width: 0"):
            _seen(here)


def _choice(here: Page) -> None:
    words, known = here.words, here.gui.preferences.now.source
    ui.label(words("sources.title")).classes("text-h6")
    names = {kind: words(f"sources.{kind}") for kind in KINDS}
    kind = ui.select(names, value=known.get("kind") if known.get("kind") in KINDS else "usb")
    kind.classes("w-full").props("outlined data-testid=kind")
    form = SourceForm(here)

    def draw(chosen: str) -> None:
        form.draw(chosen, known if known.get("kind") == chosen else {})

    async def use() -> None:
        try:
            await here.gui.line.use(form.said())
        except OSError as error:
            here.tell(ServiceError("disk_full", str(error)))
            return
        here.note(words("sources.used"))

    kind.on_value_change(lambda event: draw(str(event.value)))
    draw(str(kind.value))
    button(words("sources.use"), use, "use").classes("w-full")


def _seen(here: Page) -> None:
    words, line = here.words, here.gui.line
    with ui.row().classes("w-full items-center no-wrap gap-3"):
        ui.label(words("sources.live")).classes("text-h6 col")
        test = ui.button(words("sources.test"), icon="photo_camera").props("outline data-testid=test")
    problem = ui.label().classes("text-body1 w-full").props("data-testid=problem role=status")
    seen = ui.element("img").props(f'alt="{words("sources.live")}"')
    seen.props("data-testid=live").style(
        "width: 100%; height: calc(100vh - 480px); min-height: 250px; object-fit: contain; background: #0d141b"
    )
    exposure = ui.column().classes("w-full gap-1")
    with ui.row().classes("w-full items-center no-wrap gap-4").style("min-height: 110px"):
        taken = ui.image().style("width: 150px; height: 104px; flex: none")
        taken.props('fit=contain no-transition data-testid=taken alt=""')
        result = ui.label().classes("text-body1").props("data-testid=result")
    taken.set_visibility(False)
    show_exposure = redrawn(exposure, partial(_draw_exposure, here))

    def tick() -> None:
        # only now: the page counts as loaded when its pictures are, and this answer never ends
        if "src" not in seen.props:
            seen.props(f'src="{live.PATH}?at={time.time():.0f}"')
        said = line.source_problem
        problem.text = words.problem(said.code, said.detail) if said.code else words("sources.works")
        show_exposure(line.source.exposure())

    async def take() -> None:
        result.text, started = "", time.perf_counter()
        try:
            with busy(test):
                picture = await line.grab()
        except SourceError as error:
            result.text = words.problem(error.code, error.detail)
            return
        took = formats.milliseconds((time.perf_counter() - started) * 1000, words.language)
        drawn = await asyncio.get_running_loop().run_in_executor(None, displayed, picture.data)
        taken.set_visibility(drawn is not None)
        if drawn is None:
            result.text = words("sources.tested_unreadable", name=picture.name, ms=took)
            return
        taken.set_source(here.gui.pictures.put(drawn.jpeg, "image/jpeg"))
        result.text = words("sources.tested", name=picture.name, width=drawn.width, height=drawn.height, ms=took)

    test.on_click(take)
    here.every_tick(tick)


def _draw_exposure(here: Page, found: Exposure | None) -> None:
    """A slider for cameras that tell their exposure. It is kept in the preferences, for the next start."""
    if found is None:
        return

    async def expose(event: events.GenericEventArguments) -> None:
        source, said = here.gui.line.source, dict[str, Any](here.gui.preferences.now.source)
        if source.exposure() is not None:
            await here.gui.line.of_source(source.set_exposure, float(event.args))
            here.gui.preferences.change(source=said | {"exposure": float(event.args)})

    ui.label(here.words("sources.exposure", unit=found.unit or "–"))
    slider = ui.slider(min=found.minimum, max=found.maximum, step=found.step, value=found.value)
    slider.props("label data-testid=exposure").on("change", expose)
