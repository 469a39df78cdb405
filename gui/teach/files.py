"""Files as samples: several at once; each that cannot be kept is named, the others are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.teach.choice import Choice
from gui.teach.desk import Desk
from service.contract.words import Label


async def files_dialog(desk: Desk, label: Label, refresh: Callable[[], Awaitable[None]]) -> None:
    state = None if desk.layout else await desk.tried(calls.state(desk.client, desk.role_id, desk.roi_id))
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-3").style("width: 640px"):
        ui.label(desk.say("teach.add_files")).classes("text-h6")
        ui.label(desk.say("teach.files_explain" if desk.layout else "teach.pictures_explain")).classes("muted")
        choice = Choice(desk, label)
        scale = _scale_field(desk, state.mm_per_px if state else None) if desk.layout is None else None
        results = ui.column().classes("w-full gap-1").style("max-height: 240px; overflow-y: auto")

        async def keep(event: events.MultiUploadEventArguments) -> None:
            upload.reset()
            for file in event.files:
                mm_per_px = scale.value if scale else None
                why = await _keep_file(desk, choice, file.name, await file.read(), mm_per_px)
                with results.props("data-testid=files-kept"):
                    _result(file.name, why or desk.say("teach.file_kept"), kept=not why)

        upload = ui.upload(label=desk.say("teach.choose_files"), multiple=True, auto_upload=True, on_multi_upload=keep)
        upload.props("accept=.png,.jpg,.jpeg,.bmp,.tif,.tiff,.webp flat bordered data-testid=upload")
        upload.classes("w-full")
        ui.button(desk.say("teach.done"), on_click=dialog.close).props("no-caps data-testid=done").classes("self-end")
    await dialog
    dialog.delete()
    await refresh()


def _scale_field(desk: Desk, mm_per_px: float | None) -> ui.number:
    """Pictures of a ROI that is in no layout say nothing of their scale."""
    field = ui.number(desk.say("teach.scale"), value=mm_per_px, min=0.00001, max=1000, format="%.5f").props(
        "outlined dense"
    )
    field.set_enabled(mm_per_px is None)
    return field.props("data-testid=scale")


async def _keep_file(desk: Desk, choice: Choice, name: str, data: bytes, mm_per_px: float | None) -> str:
    """Why it was not kept; empty when it was."""
    try:
        if desk.layout:
            await calls.keep_frame(desk.client, desk.role_id, choice.label, name, data, choice.roi_ids)
        elif not mm_per_px:
            return desk.say("teach.scale_missing")
        else:
            await calls.keep_picture(desk.client, desk.role_id, desk.roi_id, choice.label, name, data, mm_per_px)
    except ServiceError as error:
        return desk.here.words.problem(error.code, error.detail)
    return ""


def _result(name: str, text: str, *, kept: bool) -> None:
    with ui.row().classes("w-full no-wrap items-center gap-2"):
        ui.icon("check_circle" if kept else "error", size="22px").classes("text-positive" if kept else "text-negative")
        ui.label(f"{name}: {text}").style("overflow-wrap: anywhere")
