"""Past inspections as samples: parts that were judged wrongly teach the most."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from gui.kit.formats import date_and_time, number
from gui.kit.widgets import Chosen, answer, button, card_dialog, thumbnail
from gui.service.client import ServiceError
from gui.service.teaching import LABELS
from gui.service.urls import service_picture
from gui.teach.choice import Refresh
from gui.teach.desk import Desk
from service.contract.inspections import InspectionSummary
from service.contract.words import Label

SHOWN = 60


async def past_dialog(desk: Desk, label: Label, refresh: Refresh) -> None:
    found = await desk.here.tried(desk.roi.last_inspections(SHOWN))
    if found is None:
        return
    with desk.here.root, card_dialog("max-width: 92vw") as dialog:
        _Past(desk, found).draw(label, dialog.close)
    await answer(dialog)
    await refresh()


class _Past:
    def __init__(self, desk: Desk, found: list[InspectionSummary]) -> None:
        self._desk, self._found, self._chosen = desk, found, Chosen(desk.look)

    def draw(self, label: Label, close: Callable[[], object]) -> None:
        say, self._close = self._desk.words, close
        ui.label(say("teach.add_past")).classes("text-h6")
        ui.label(say("teach.past_explain" if self._found else "teach.past_none", n=len(self._found))).classes("muted")
        tiles = ui.element("div").classes("tiles").props("data-testid=past")
        with tiles.style("width: min(980px, 88vw); max-height: 52vh; overflow-y: auto"):
            for inspection in self._found:
                self._tile(inspection)
        self._problem = ui.label().classes("text-negative text-body1").props("data-testid=problem role=alert")
        with ui.row().classes("w-full justify-end gap-2"):
            button(say("teach.close"), close, "done", "flat no-caps")
            # the label that the person came from stands last, where a dialog has its main button
            for name in sorted(LABELS, key=lambda name: name == label):
                look = f"color={'positive' if name == 'ok' else 'negative'} no-caps"
                keep, some = partial(self._keep, name), partial(bool, self._chosen)
                self._desk.button(say(f"teach.keep_as_{name}"), keep, f"keep-{name}", look, when=some)

    def _tile(self, inspection: InspectionSummary) -> None:
        language, verdict = self._desk.language, inspection.verdict or "–"
        picture = thumbnail(service_picture(f"inspections/{inspection.inspection_id}/thumbnail", side=160))
        with self._chosen.tile(inspection.inspection_id, picture, "inspection"):
            said = ui.label(f"{verdict} · {number(inspection.score, language)}").classes("text-weight-bold")
            said.style(f"color: var(--{'ok' if verdict == 'OK' else 'ng'}-text, inherit)")
            ui.label(date_and_time(inspection.time_utc, language))

    async def _keep(self, label: Label) -> None:
        """One by one, so that an inspection whose picture is gone does not hold up the others."""
        desk, refused = self._desk, []
        for inspection in self._found:
            if inspection.inspection_id not in self._chosen:
                continue
            try:
                await desk.roi.keep_inspection(label, inspection.inspection_id)
                self._chosen.discard(inspection.inspection_id)
            except ServiceError as error:
                gone = error.code == "not_found"
                why = desk.words("teach.picture_gone") if gone else desk.words.problem(error.code, error.detail)
                refused.append(f"{date_and_time(inspection.time_utc, desk.language)}: {why}")
        if refused:
            self._problem.text = " ".join(refused)
        else:
            self._close()
