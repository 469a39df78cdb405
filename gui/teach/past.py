"""Past inspections as samples: those that were judged wrongly teach the most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.kit.formats import date_and_time, number
from gui.service import teaching as calls
from gui.service.client import ServiceError
from gui.service.urls import service_picture
from gui.teach.desk import Desk
from service.contract.inspections import InspectionSummary
from service.contract.words import Label

SHOWN = 60


async def past_dialog(desk: Desk, label: Label, refresh: Callable[[], Awaitable[None]]) -> None:
    found = await desk.tried(calls.last_inspections(desk.client, desk.role_id, desk.roi_id, SHOWN))
    if found is None:
        return
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-3").style("max-width: 92vw"):
        dialog_ = _Past(desk, found)
        dialog_.draw(label, dialog.close)
    await dialog
    dialog.delete()
    await refresh()


class _Past:
    def __init__(self, desk: Desk, found: list[InspectionSummary]) -> None:
        self._desk, self._found, self._chosen = desk, found, set[str]()

    def draw(self, label: Label, close: Callable[[], object]) -> None:
        say = self._desk.say
        self._close = close
        ui.label(say("teach.add_past")).classes("text-h6")
        ui.label(say("teach.past_explain" if self._found else "teach.past_none", n=len(self._found))).classes("muted")
        with (
            ui.element("div").classes("tiles")
            .style("width: min(980px, 88vw); max-height: 52vh; overflow-y: auto").props("data-testid=past")
        ):  # fmt: skip
            for inspection in self._found:
                self._tile(inspection)
        self._problem = ui.label().classes("text-negative text-body1").props("data-testid=problem role=alert")
        with ui.row().classes("w-full justify-end gap-2"):
            ui.button(say("teach.close"), on_click=close).props("flat no-caps data-testid=done")
            for name in sorted(calls.LABELS, key=lambda name: name == label):
                button = ui.button(say(f"teach.keep_as_{name}"), on_click=lambda name=name: self._keep(name))
                button.props(f"color={'positive' if name == 'ok' else 'negative'} no-caps data-testid=keep-{name}")
                self._desk.guard(button, lambda: bool(self._chosen))

    def _tile(self, inspection: InspectionSummary) -> None:
        language = self._desk.language
        with (
            ui.element("button").classes("tile").props("type=button aria-pressed=false data-testid=inspection") as tile
        ):
            url = service_picture(f"inspections/{inspection.inspection_id}/thumbnail", side=160)
            ui.image(url).props('no-transition fit=contain alt=""').classes("thumb")
            ui.icon("check", size="22px").classes("chosen")
            verdict = inspection.verdict or "–"
            ui.label(f"{verdict} · {number(inspection.score, language)}").classes("text-weight-bold").style(
                f"color: var(--{'ok' if verdict == 'OK' else 'ng'}-text, inherit)"
            )
            ui.label(date_and_time(inspection.time_utc, language))
        tile.on("click", lambda: self._choose(inspection.inspection_id, tile))

    def _choose(self, inspection_id: str, tile: ui.element) -> None:
        self._chosen = self._chosen ^ {inspection_id}
        tile.props(f"aria-pressed={str(inspection_id in self._chosen).lower()}")
        self._desk.guard.look()

    async def _keep(self, label: Label) -> None:
        """Each for itself: one whose picture is gone does not hold up the others."""
        desk, refused = self._desk, []
        for inspection in self._found:
            if inspection.inspection_id not in self._chosen:
                continue
            try:
                await calls.keep_inspection(desk.client, desk.role_id, desk.roi_id, label, inspection.inspection_id)
                self._chosen.discard(inspection.inspection_id)
            except ServiceError as error:
                when = date_and_time(inspection.time_utc, desk.language)
                refused.append(f"{when}: {_why(desk, error)}")
        if refused:
            self._problem.text = " ".join(refused)
        else:
            self._close()


def _why(desk: Desk, error: ServiceError) -> str:
    if error.code == "not_found":
        return desk.say("teach.picture_gone")
    return desk.here.words.problem(error.code, error.detail)
