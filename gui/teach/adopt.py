"""Adopt a threshold: show what changes, ask once more, record it."""

from __future__ import annotations

from nicegui import ui

from gui.kit.formats import number
from gui.kit.tables import bold, sheet
from gui.kit.widgets import answer, button, card_dialog
from gui.teach.desk import Desk
from gui.teach.provisional import provisional_note
from gui.teach.rates import measured, sentences, value
from service.contract.models import CalibrationAnswer, ModelScoresAnswer, ModelSummary


async def adopt(
    desk: Desk, scores: ModelScoresAnswer, mm_per_px: float, found: CalibrationAnswer, before: ModelSummary | None
) -> bool:
    """Whether it was adopted: the threshold is recorded with its version, and that version judges."""
    if not await _sure(desk, found, before):
        return False
    if await desk.here.tried(desk.roi.adopt_threshold(scores, mm_per_px, found.threshold)) is None:
        return False
    judges = before is not None and before.model_version == found.model_version
    if not judges and await desk.here.tried(desk.roi.activate(found.model_version)) is None:
        return False
    threshold = number(found.threshold, desk.language, 3)
    desk.here.note(desk.words("teach.adopted", version=found.model_version, threshold=threshold))
    return True


async def _sure(desk: Desk, found: CalibrationAnswer, before: ModelSummary | None) -> bool:
    words = desk.words
    with desk.here.root, card_dialog("max-width: 680px") as dialog:
        ui.label(words("teach.adopt_title")).classes("text-h6")
        ui.label(words("teach.adopt_explain")).classes("muted")
        _changes(desk, found, before)
        for one in measured(found):
            said = f"{words(f'teach.{one.name}')}: {value(words, one)}. {' '.join(sentences(words, one))}"
            ui.label(said).classes("text-body1").props(f"data-testid=adopt-{one.name.replace('_', '-')}")
        provisional_note(desk, found)
        with ui.row().classes("w-full justify-end gap-2"):
            button(words("teach.back"), lambda: dialog.submit(False), "cancel", "flat no-caps")
            desk.button(words("teach.adopt"), lambda: dialog.submit(True), "confirm", "no-caps", "task_alt")
    return bool(await answer(dialog))


def _changes(desk: Desk, found: CalibrationAnswer, before: ModelSummary | None) -> None:
    words, none = desk.words, desk.words("teach.none_yet")
    old_version = str(before.model_version) if before else none
    old_threshold = number(before.threshold, desk.language, 3) if before and before.threshold else none
    new_threshold = number(found.threshold, desk.language, 3)
    rows = [
        (words("teach.change_version"), old_version, bold(str(found.model_version))),
        (words("teach.threshold"), old_threshold, bold(new_threshold)),
    ]
    sheet(["", words("teach.now"), words("teach.then")], rows, "changes")
