"""Buttons that add samples: from the camera, from files, from past inspections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gui.teach.camera import camera_dialog
from gui.teach.choice import Refresh
from gui.teach.desk import Desk
from gui.teach.files import files_dialog
from gui.teach.past import past_dialog
from service.contract.words import Label


def add_buttons(desk: Desk, label: Callable[[], Label], refresh: Refresh) -> None:
    """`label`: the label of new samples until the person chooses another one."""
    drawn = desk.layout is not None
    for name, icon, dialog, possible in (
        ("camera", "photo_camera", camera_dialog, drawn),
        ("files", "upload_file", files_dialog, True),
        ("past", "history", past_dialog, True),
    ):
        text, look = desk.words(f"teach.add_{name}"), "no-caps outline"
        made = desk.button(
            text, lambda dialog=dialog: dialog(desk, label(), refresh), f"add-{name}", look, icon,
            when=partial(bool, possible),
        )  # fmt: skip
        if not possible:
            made.tooltip(desk.words("teach.needs_layout"))
