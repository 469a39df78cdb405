"""The strip of tools beside the drawing: shapes to draw, undo and redo, copy and paste, lock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from gui.kit.widgets import button, press
from gui.layout.desk import COMMANDS, Desk
from gui.layout.roi_editor import TOOLS

ICONS = {
    "select": "near_me", "rect": "crop_square", "circle": "radio_button_unchecked", "annulus": "trip_origin",
    "mark": "center_focus_weak", "measure": "straighten",
    "undo": "undo", "redo": "redo", "copy": "content_copy", "paste": "content_paste", "delete": "delete",
    "duplicate": "control_point_duplicate",
}  # fmt: skip


def tool_strip(desk: Desk) -> None:
    with ui.element("div").classes("tools card").props(f'role=toolbar aria-label="{desk.words("layout.tools")}"'):
        tools = {tool: _button(desk, tool, partial(desk.use, tool)) for tool in TOOLS}
        commands = {name: _button(desk, name, partial(desk.do, name)) for name in COMMANDS}
        lock = _button(desk, "lock", lambda: _toggle_lock(desk))

    def show() -> None:
        for tool, made in tools.items():
            press(made, desk.editor is not None and desk.editor.tool == tool)
            made.set_enabled(tool == "select" or not desk.locked)
        for name, made in commands.items():
            made.set_enabled(desk.editing.possible(name))
        lock.props(f"icon={'lock' if desk.locked else 'lock_open'}")
        press(lock, desk.locked)

    desk.shows(show)


def _button(desk: Desk, name: str, do: Callable[[], object]) -> ui.button:
    text = desk.words(f"layout.tool_{name}")
    made = button("", do, f"tool-{name}", f'flat dense aria-label="{text}"', ICONS.get(name, "lock_open"))
    with made:
        # beside the strip, not over the next tool, and only for a pointer that rests
        ui.tooltip(text).classes("text-body2").props('anchor="center right" self="center left" :delay="400"')
    return made


async def _toggle_lock(desk: Desk) -> None:
    locked = desk.locked
    if locked and not await desk.here.sure(desk.words("layout.unlock_ask"), desk.words("layout.unlock")):
        return
    if not locked:
        desk.use("select")
    desk.change(lambda: desk.editing.set_locked(not locked))
