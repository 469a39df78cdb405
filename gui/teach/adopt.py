"""Adopt a threshold: what changes, asked once more, then recorded."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number, percent
from gui.service import teaching as calls
from gui.teach.desk import Desk, cell
from gui.teach.rates import in_words, measured
from service.contract.models import CalibrationAnswer, ModelScoresAnswer, ModelSummary


async def adopt(
    desk: Desk, scores: ModelScoresAnswer, mm_per_px: float, found: CalibrationAnswer, before: ModelSummary | None
) -> bool:
    """Whether it was adopted: the threshold noted with its version, and that version serves."""
    if not await _sure(desk, found, before):
        return False
    done = await desk.tried(calls.adopt_threshold(desk.client, scores, mm_per_px, found.threshold))
    if done is None:
        return False
    if before is None or before.model_version != found.model_version:
        activated = await desk.tried(calls.activate(desk.client, desk.role_id, desk.roi_id, found.model_version))
        if activated is None:
            return False
    threshold = number(found.threshold, desk.language, 3)
    desk.note(desk.say("teach.adopted", version=found.model_version, threshold=threshold))
    return True


async def _sure(desk: Desk, found: CalibrationAnswer, before: ModelSummary | None) -> bool:
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-3").style("max-width: 680px"):
        ui.label(desk.say("teach.adopt_title")).classes("text-h6")
        ui.label(desk.say("teach.adopt_explain")).classes("muted")
        _changes(desk, found, before)
        for one in measured(found):
            words = f"{desk.say(one.title)}: {percent(one.rate, desk.language)}. {in_words(desk, one)}"
            ui.label(words).classes("text-body1")
        with ui.row().classes("w-full justify-end gap-2"):
            ui.button(desk.say("teach.back"), on_click=lambda: dialog.submit(False)).props(
                "flat no-caps data-testid=cancel"
            )
            button = ui.button(desk.say("teach.adopt"), icon="task_alt", on_click=lambda: dialog.submit(True))
            desk.guard(button.props("no-caps data-testid=confirm"))
    answer = bool(await dialog)
    dialog.delete()
    return answer


def _changes(desk: Desk, found: CalibrationAnswer, before: ModelSummary | None) -> None:
    none = desk.say("teach.none_yet")
    old_threshold = number(before.threshold, desk.language, 3) if before and before.threshold else none
    rows = (
        ("teach.change_version", str(before.model_version) if before else none, str(found.model_version)),
        ("teach.threshold", old_threshold, number(found.threshold, desk.language, 3)),
    )
    with ui.element("table").classes("sheet").props("data-testid=changes"):
        with ui.element("tr"):
            for text in ("", desk.say("teach.now"), desk.say("teach.then")):
                cell("th", text)
        for key, old, new in rows:
            with ui.element("tr"):
                cell("td", desk.say(key))
                cell("td", old)
                cell("td", new).classes("text-weight-bold")
