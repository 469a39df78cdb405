"""Samples from the camera: place a part, press the button, and its ROIs are kept."""

from __future__ import annotations

from nicegui import ui

from gui.kit.widgets import answer, busy, button, card_dialog
from gui.kit.words import Told
from gui.teach.choice import Choice, Refresh
from gui.teach.desk import Desk
from service.contract.words import Label


async def camera_dialog(desk: Desk, label: Label, refresh: Refresh) -> None:
    words = desk.words
    with desk.here.root, card_dialog("width: 640px") as dialog:
        ui.label(words("teach.add_camera")).classes("text-h6")
        ui.label(words("teach.camera_explain")).classes("muted")
        # a number that was read or typed on Inspect is that of the part that lies there
        choice = Choice(desk, label, desk.here.gui.line.part_id)
        kept = ui.label(words("teach.kept", n=0)).classes("text-body1").props("data-testid=kept")
        tiles = ui.element("div").classes("tiles").style("max-height: 300px; overflow-y: auto")
        problem = ui.label().classes("text-negative text-body1").props("data-testid=problem role=alert")
        saved = 0

        async def take() -> None:
            nonlocal saved
            problem.text = ""
            try:
                with busy(shutter):
                    picture = await desk.here.gui.line.grab()
                    found = await desk.roi.keep_frame(
                        choice.label, picture.name, picture.data, choice.roi_ids, choice.part_id
                    )
            except Told as error:
                # in the dialog, where the person looks, and until the next press
                problem.text = words.problem(error.code, error.detail)
                return
            saved += 1
            kept.text = words("teach.kept", n=saved)
            _show_kept(desk, tiles, choice.label, found.saved.get(desk.roi.roi_id, []))

        with ui.row().classes("w-full justify-end gap-2"):
            button(words("teach.done"), dialog.close, "done", "flat no-caps")
            shutter = button(words("teach.take"), take, "take", "autofocus no-caps", "photo_camera")
    await answer(dialog)
    await refresh()


def _show_kept(desk: Desk, tiles: ui.element, label: Label, filenames: list[str]) -> None:
    """Newest first."""
    with tiles:
        for filename in filenames:
            made = ui.image(desk.roi.sample_url(label, filename)).props('no-transition fit=contain alt=""')
            made.style("aspect-ratio: 1").move(target_index=0)
