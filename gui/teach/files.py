"""Files as samples, several at once: a file that cannot be kept is named, the others are kept."""

from __future__ import annotations

from nicegui import events, ui

from gui.kit.widgets import answer, button, card_dialog
from gui.service.client import ServiceError
from gui.teach.choice import Choice, Refresh
from gui.teach.desk import Desk
from service.contract.words import Label


async def files_dialog(desk: Desk, label: Label, refresh: Refresh) -> None:
    words = desk.words
    state = None if desk.layout else await desk.here.tried(desk.roi.state())
    with desk.here.root, card_dialog("width: 640px") as dialog:
        ui.label(words("teach.add_files")).classes("text-h6")
        ui.label(words("teach.files_explain" if desk.layout else "teach.pictures_explain")).classes("muted")
        choice = Choice(desk, label)
        scale = _scale_field(desk, state.mm_per_px if state else None) if desk.layout is None else None
        results = ui.column().classes("w-full gap-1").style("max-height: 240px; overflow-y: auto")

        async def keep(event: events.MultiUploadEventArguments) -> None:
            upload.reset()
            for file in event.files:
                mm_per_px = scale.value if scale else None
                why = await _keep_file(desk, choice, file.name, await file.read(), mm_per_px)
                with results.props("data-testid=files-kept"):
                    _result(file.name, why or words("teach.file_kept"), kept=not why)

        upload = ui.upload(label=words("teach.choose_files"), multiple=True, auto_upload=True, on_multi_upload=keep)
        upload.props("accept=.png,.jpg,.jpeg,.bmp,.tif,.tiff,.webp flat bordered data-testid=upload")
        upload.classes("w-full")
        button(words("teach.done"), dialog.close, "done", "no-caps").classes("self-end")
    await answer(dialog)
    await refresh()


def _scale_field(desk: Desk, mm_per_px: float | None) -> ui.number:
    """Pictures of an ROI that is in no layout say nothing of their scale. The first ones set it."""
    field = ui.number(desk.words("teach.scale"), value=mm_per_px, min=0.00001, max=1000, format="%.5f")
    field.props("outlined dense data-testid=scale").set_enabled(mm_per_px is None)
    return field


async def _keep_file(desk: Desk, choice: Choice, name: str, data: bytes, mm_per_px: float | None) -> str:
    """Why the file was not kept; empty when it was kept."""
    try:
        if desk.layout:
            await desk.roi.keep_frame(choice.label, name, data, choice.roi_ids, choice.part_id)
        elif not mm_per_px:
            return desk.words("teach.scale_missing")
        else:
            await desk.roi.keep_picture(choice.label, name, data, mm_per_px, choice.part_id)
    except ServiceError as error:
        return desk.words.problem(error.code, error.detail)
    return ""


def _result(name: str, text: str, *, kept: bool) -> None:
    with ui.row().classes("w-full no-wrap items-center gap-2"):
        ui.icon("check_circle" if kept else "error", size="22px").classes("text-positive" if kept else "text-negative")
        ui.label(f"{name}: {text}").style("overflow-wrap: anywhere")
