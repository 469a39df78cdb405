"""The operator's screen: the verdict on the part, the reasons, and the counters of the shift."""

from __future__ import annotations

import time
from typing import Any

from nicegui import events, ui

from gui.gui import Gui
from gui.inspect import drawing
from gui.inspect.scanner import Key, Wedge
from gui.kit import formats
from gui.kit.widgets import button, link, select
from gui.line.part import Part, State
from gui.service.client import ServiceError
from gui.service.layouts import layouts
from gui.shell import Page, page
from gui.sources.files import FilesSource

_ROLES_EVERY = 10  # ticks of half a second: a role that was just drawn appears within 5 s


def show(gui: Gui) -> None:
    with page(gui, "inspect") as here:
        screen = _Screen(here)
        with ui.element("div").classes("line-screen"):
            with ui.element("div").classes("line-main"):
                screen.draw_asking()
                screen.draw_picture()
                screen.draw_strip()
            with ui.element("div").classes("line-side"):
                screen.draw_verdict()
        screen.show(gui.line.shown)
        gui.line.changed.subscribe(screen.show)
        here.every_tick(screen.tick)
        ui.keyboard(on_key=screen.key, repeating=False)


class _Screen:
    """One browser's view of the line."""

    def __init__(self, here: Page) -> None:
        self.here, self.line, self.words = here, here.gui.line, here.words
        self.wedge, self._ticks = Wedge(), 0

    def draw_asking(self) -> None:
        known = self.here.gui.preferences.now
        with ui.row().classes("w-full items-center no-wrap gap-3"):
            roles = [known.role_id] if known.role_id else []
            self.role = select(self.words("inspect.role"), roles, known.role_id or None, "role", on_change=self._choose)
            self.part = ui.input(self.words("inspect.part"), value=self.line.part_id)
            self.part.bind_value_to(self.line, "part_id", lambda value: str(value or "").strip())
            self.part.props("outlined dense clearable maxlength=128 data-testid=part").classes("col")
            # Enter leaves the field, so that a second Enter starts the inspection
            self.part.on("keydown.enter", lambda: self.part.run_method("blur"))
            text, look = self.words("inspect.inspect"), "size=lg"
            start = button(text, self.line.trigger, "inspect", look, "center_focus_strong")
            # a press must not move the focus, or the next code of the scanner would go to the button
            start.on("mousedown.prevent", lambda: None)
        if isinstance(self.line.source, FilesSource):
            drop = ui.upload(label=self.words("inspect.drop"), multiple=True, auto_upload=True, on_upload=self._dropped)
            drop.props("flat bordered data-testid=drop").classes("w-full").style("max-height: 92px; flex: none")

    def draw_picture(self) -> None:
        opacity = self.here.gui.preferences.now.heat_opacity
        with ui.element("div").classes("line-picture").style(f"--heat: {opacity}") as self.frame:
            self.picture = ui.html("", sanitize=False).classes("w-full h-full").props("data-testid=picture")
            with ui.element("div").classes("line-hint") as self.hint:
                self.hint_text = ui.label().props("data-testid=hint")
                self.to_sources = link(self.words("inspect.to_sources"), "/sources", "to-sources")
        with ui.row().classes("w-full items-center no-wrap gap-4") as self.heat_row:
            ui.label(self.words("inspect.heat")).style("flex: none")
            slider = ui.slider(min=0, max=1, step=0.05, value=opacity).classes("col")
            slider.props(f'aria-label="{self.words("inspect.heat")}" data-testid=heat')
            slider.on_value_change(lambda event: self.frame.style(f"--heat: {event.value}"))
            slider.on("change", lambda event: self.here.gui.preferences.change(heat_opacity=float(event.args)))

    def draw_strip(self) -> None:
        self.strip = ui.html("", sanitize=False).classes("line-strip").props("data-testid=strip")

    def draw_verdict(self) -> None:
        self.verdict = ui.html("", sanitize=False).classes("w-full")
        self.verdict.props('data-testid=verdict role=status aria-live="assertive"')
        with ui.element("div").classes("card line-why"):
            self.about = ui.label().classes("text-body1 text-weight-medium").props("data-testid=about")
            self.why = ui.html("", sanitize=False).classes("w-full").props("data-testid=why")
        with ui.element("div").classes("card line-counters").props("data-testid=counters"):
            self.counters = {name: self._counter(name) for name in ("n", "n_ok", "n_ng", "n_error")}

    def show(self, part: Part) -> None:
        self.verdict.content = drawing.verdict(self.words, part)
        self.why.content = drawing.why(self.words, part)
        named = part.part_id or part.name
        self.about.text = f"{named} · {formats.time_of_day(part.time_utc)}" if named and part.time_utc else named
        drawn = drawing.picture(self.words, part)
        if drawn or part.state in (State.WAITING, State.ERROR):
            self.picture.content = drawn
        # grey while the next part is inspected: the picture of the last one must not be taken for it
        self.frame.classes(add="old") if part.state == State.BUSY else self.frame.classes(remove="old")
        self.hint.set_visibility(not self.picture.content and part.state in (State.WAITING, State.ERROR))
        self.hint_text.text = self.words("inspect.place_part") if part.state == State.WAITING else ""
        self.to_sources.set_visibility(part.code in ("no_source", "camera_gone", "folder_gone", "genicam_missing"))
        self.heat_row.set_visibility(bool(part.heat_url))
        self.strip.content = drawing.strip(self.words, self.line.past)
        if part.state == State.BUSY:
            self.part.value = ""

    async def tick(self) -> None:
        for name, label in self.counters.items():
            label.text = formats.number(getattr(self.line.counters, name, None), self.words.language, 0)
        if self._ticks % _ROLES_EVERY == 0 and self.here.gui.link.state.usable:
            await self._offer_roles()
        self._ticks += 1

    async def key(self, event: events.KeyEventArguments) -> None:
        # Ctrl, Alt and Meta make shortcuts of the browser; a scanner sends none
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta:
            return
        pressed = self.wedge.press(str(event.key.name), time.monotonic())
        if pressed is Key.CODE:
            self.part.value = self.wedge.code
        elif pressed is Key.START:
            await self.line.trigger()

    def _choose(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value != self.here.gui.preferences.now.role_id:
            self.here.gui.preferences.change(role_id=event.value or "")
            self.line.clear()

    async def _offer_roles(self) -> None:
        try:
            roles = sorted(layout.role_id for layout in await layouts(self.here.client) if layout.n_rois)
        except ServiceError:
            return
        known = self.here.gui.preferences.now.role_id
        offered = sorted({*roles, *([known] if known else [])})
        if offered != self.role.options:
            self.role.set_options(offered)
        # a plant with one kind of part need not choose
        if not known and len(roles) == 1:
            self.role.value = roles[0]

    async def _dropped(self, event: events.UploadEventArguments) -> None:
        await self.here.tried(self.line.add_file(event.file.name, await event.file.read()))

    def _counter(self, name: str) -> ui.label:
        with ui.element("div"):
            label = ui.label("–").classes("number").style("font-size: 26px; font-weight: 700; line-height: 1.1")
            ui.label(self.words(f"inspect.{name}")).classes("muted")
        return label.props(f"data-testid={name.replace('_', '-')}")
