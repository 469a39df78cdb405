"""A threshold with too few good parts behind it: what that means, and how somebody answers for it by name."""

from __future__ import annotations

from nicegui import ui

from gui.kit.widgets import answer, button, card_dialog
from gui.kit.words import Words
from gui.teach.desk import Desk
from service.contract.models import CalibrationAnswer, ModelSummary
from service.contract.rules import enough_ok

LONGEST_WHY = 500  # characters, as the service takes them


def provisional_note(desk: Desk, found: CalibrationAnswer) -> None:
    """Nothing for a threshold that is not provisional."""
    if not found.provisional:
        return
    with ui.row().classes("provisional w-full no-wrap items-start gap-2").props("data-testid=provisional role=status"):
        ui.icon("warning", size="24px").style("flex: none")
        ui.label(provisional_in_words(desk.words, found)).style("font-size: 15px")


def provisional_in_words(words: Words, found: CalibrationAnswer) -> str:
    needed = enough_ok(found.score_percentile)
    n = found.n_ok if found.n_ok_parts is None else found.n_ok_parts
    key = "teach.provisional_never" if needed is None else "teach.provisional_few"
    # one's own threshold, or an older one, is as strict as it happens to be
    then = "teach.provisional_own" if found.method == "manual" else "teach.provisional_strict"
    return f"{words(key, n=n, needed=needed)} {words(then)}"


async def accept(desk: Desk, version: ModelSummary) -> bool:
    """Whether somebody has answered for the version's threshold, with a reason."""
    why = await _asked_why(desk, version)
    if not why or await desk.here.tried(desk.roi.accept(version.model_version, why)) is None:
        return False
    desk.here.note(desk.words("teach.accepted", version=version.model_version))
    return True


async def _asked_why(desk: Desk, version: ModelSummary) -> str | None:
    words = desk.words
    with desk.here.root, card_dialog("width: 620px; max-width: 92vw") as dialog:
        ui.label(words("teach.accept_title", version=version.model_version)).classes("text-h6")
        ui.label(words("teach.accept_explain")).classes("muted")
        needed = {words("teach.accept_why_needed"): lambda value: bool((value or "").strip())}
        why = ui.input(words("teach.accept_why"), validation=needed).classes("w-full").without_auto_validation()
        why.props(f"maxlength={LONGEST_WHY} counter autofocus data-testid=why")

        def take() -> None:
            if why.validate():
                dialog.submit(why.value.strip())

        with ui.row().classes("w-full justify-end gap-2"):
            button(words("teach.back"), lambda: dialog.submit(None), "cancel", "flat no-caps")
            desk.button(words("teach.accept"), take, "confirm", "no-caps", "verified_user")
    said = await answer(dialog)
    return said if isinstance(said, str) else None
