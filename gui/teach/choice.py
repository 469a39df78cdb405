"""As what new samples are kept, and of which ROIs they are cut."""

from __future__ import annotations

from nicegui import events, ui

from gui.service import teaching as calls
from gui.teach.desk import Desk
from service.contract.words import Label


class Choice:
    def __init__(self, desk: Desk, label: Label) -> None:
        self.label: Label = label
        self._only = desk.roi_id
        self._all = False
        with ui.row().classes("w-full items-center gap-6"):
            labels = {name: desk.say(f"teach.as_{name}") for name in calls.LABELS}
            ui.radio(labels, value=label, on_change=self._set_label).props("inline data-testid=as")
            if desk.layout and len(desk.layout.rois) > 1:
                scopes = {False: desk.say("teach.this_region", roi=desk.roi_id), True: desk.say("teach.all_regions")}
                ui.radio(scopes, value=False, on_change=self._set_scope).props("inline data-testid=scope")

    @property
    def roi_ids(self) -> list[str] | None:
        return None if self._all else [self._only]

    def _set_label(self, event: events.ValueChangeEventArguments[Label]) -> None:
        self.label = event.value

    def _set_scope(self, event: events.ValueChangeEventArguments[bool]) -> None:
        self._all = event.value
