"""Samples from the camera: place a part, press, and its regions are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.urls import service_picture
from gui.sources.base import SourceError
from gui.teach.choice import Choice
from gui.teach.desk import Desk
from service.contract.words import Label


async def camera_dialog(desk: Desk, label: Label, refresh: Callable[[], Awaitable[None]]) -> None:
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-3").style("width: 640px"):
        ui.label(desk.say("teach.add_camera")).classes("text-h6")
        ui.label(desk.say("teach.camera_explain")).classes("muted")
        choice = Choice(desk, label)
        kept = ui.label(desk.say("teach.kept", n=0)).classes("text-body1").props("data-testid=kept")
        tiles = ui.element("div").classes("tiles").style("max-height: 300px; overflow-y: auto")
        problem = ui.label().classes("text-negative text-body1").props("data-testid=problem role=alert")
        saved = 0

        async def take() -> None:
            nonlocal saved
            shutter.disable()
            problem.text = ""
            try:
                picture = await desk.here.gui.line.grab()
                answer = await calls.keep_frame(
                    desk.client, desk.role_id, choice.label, picture.name, picture.data, choice.roi_ids
                )
                saved += 1
                kept.text = desk.say("teach.kept", n=saved)
                _show_kept(desk, tiles, choice.label, answer.saved.get(desk.roi_id, []))
            except (SourceError, ServiceError) as error:
                problem.text = desk.here.words.problem(error.code, error.detail)
            finally:
                shutter.enable()

        with ui.row().classes("w-full justify-end gap-2"):
            ui.button(desk.say("teach.done"), on_click=dialog.close).props("flat no-caps data-testid=done")
            shutter = ui.button(desk.say("teach.take"), icon="photo_camera", on_click=take).props(
                "autofocus no-caps data-testid=take"
            )
    await dialog
    dialog.delete()
    await refresh()


def _show_kept(desk: Desk, tiles: ui.element, label: Label, filenames: list[str]) -> None:
    place = {"role_id": desk.role_id, "roi_id": desk.roi_id, "label": label}
    with tiles:
        for filename in filenames:
            url = service_picture("datasets/thumbnail", **place, filename=filename, side=160)
            ui.image(url).props('no-transition fit=contain alt=""').style("aspect-ratio: 1").move(target_index=0)
