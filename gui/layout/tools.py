"""The strip of tools beside the drawing: what the pointer draws, steps back and forth, copies, lock."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.layout.desk import COMMANDS, Desk
from gui.layout.roi_editor import TOOLS
from gui.shell import sure

ICONS = {
    "select": "near_me", "rect": "crop_square", "circle": "radio_button_unchecked", "annulus": "trip_origin",
    "mark": "center_focus_weak", "measure": "straighten",
    "undo": "undo", "redo": "redo", "copy": "content_copy", "paste": "content_paste", "delete": "delete",
    "duplicate": "control_point_duplicate",
}  # fmt: skip


def tool_strip(desk: Desk) -> None:
    with ui.element("div").classes("tools card").props(f'role=toolbar aria-label="{desk.words("layout.tools")}"'):
        for tool in TOOLS:
            button = _button(desk, tool, lambda tool=tool: desk.use(tool))  # type: ignore[misc]
            desk.shows(lambda button=button, tool=tool: _mark_used(desk, button, tool))  # type: ignore[misc]
        for name in COMMANDS:
            button = _button(desk, name, lambda name=name: desk.change(getattr(desk.editing, name)))  # type: ignore[misc]
            desk.shows(lambda button=button, name=name: button.set_enabled(_possible(desk, name)))  # type: ignore[misc]
        lock = _button(desk, "lock", lambda: _toggle_lock(desk))
        desk.shows(lambda: _show_lock(desk, lock))


def _button(desk: Desk, name: str, do: Callable[[], object]) -> ui.button:
    button = ui.button(icon=ICONS.get(name, "lock_open"), on_click=do)
    button.props(f'flat dense data-testid=tool-{name} aria-label="{desk.words(f"layout.tool_{name}")}"')
    with button:
        ui.tooltip(desk.words(f"layout.tool_{name}")).classes("text-body2").props(
            'anchor="center right" self="center left" :delay="400"'
        )
    return button


def _mark_used(desk: Desk, button: ui.button, tool: str) -> None:
    used = desk.editor is not None and desk.editor.tool == tool
    button.classes(add="used" if used else None, remove=None if used else "used")
    button.props(f"aria-pressed={str(used).lower()}")
    button.set_enabled(tool == "select" or not desk.editing.draft.locked)


def _possible(desk: Desk, name: str) -> bool:
    editing = desk.editing
    if name == "copy":
        return editing.roi is not None
    return not editing.draft.locked and {
        "undo": editing.can_undo,
        "redo": editing.can_redo,
        "paste": editing.clipboard is not None,
        "duplicate": editing.roi is not None,
        "delete": editing.selected is not None,
    }.get(name, True)


async def _toggle_lock(desk: Desk) -> None:
    locked = desk.editing.draft.locked
    if locked and not await sure(desk.here, desk.words("layout.unlock_ask"), desk.words("layout.unlock")):
        return
    if not locked:
        desk.use("select")
    desk.change(lambda: desk.editing.set_locked(not locked))


def _show_lock(desk: Desk, button: ui.button) -> None:
    locked = desk.editing.draft.locked
    button.props(f"icon={'lock' if locked else 'lock_open'} aria-pressed={str(locked).lower()}")
    button.classes(add="used" if locked else None, remove=None if locked else "used")
