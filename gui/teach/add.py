"""Where samples come from: the camera, files, past inspections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.teach.camera import camera_dialog
from gui.teach.desk import Desk
from gui.teach.files import files_dialog
from gui.teach.past import past_dialog
from service.contract.words import Label

Refresh = Callable[[], Awaitable[None]]


def add_buttons(desk: Desk, label: Callable[[], Label], refresh: Refresh) -> None:
    """`label`: what the samples are meant to be until the person says otherwise."""
    drawn = desk.layout is not None
    for name, icon, dialog, possible in (
        ("camera", "photo_camera", camera_dialog, drawn),
        ("files", "upload_file", files_dialog, True),
        ("past", "history", past_dialog, True),
    ):
        button = ui.button(
            desk.say(f"teach.add_{name}"), icon=icon, on_click=lambda dialog=dialog: dialog(desk, label(), refresh)
        )
        button.props(f"no-caps outline data-testid=add-{name}")
        desk.guard(button, lambda possible=possible: possible)  # type: ignore[misc]
        if not possible:
            button.tooltip(desk.say("teach.needs_layout"))
