"""The label of new samples, and the ROIs that are cut from a frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from gui.service.teaching import LABELS
from gui.teach.desk import Desk
from service.contract.words import Label

Refresh = Callable[[], Awaitable[None]]


class Choice:
    def __init__(self, desk: Desk, label: Label) -> None:
        self.label: Label = label
        self._only = desk.roi.roi_id
        self._all = False
        with ui.row().classes("w-full items-center gap-6"):
            labels = {name: desk.words(f"teach.as_{name}") for name in LABELS}
            ui.radio(labels, value=label, on_change=self._set_label).props("inline data-testid=as")
            if desk.layout and len(desk.layout.rois) > 1:
                one = desk.words("teach.this_region", roi=self._only)
                scopes = {False: one, True: desk.words("teach.all_regions")}
                ui.radio(scopes, value=False, on_change=self._set_scope).props("inline data-testid=scope")

    @property
    def roi_ids(self) -> list[str] | None:
        return None if self._all else [self._only]

    def _set_label(self, event: events.ValueChangeEventArguments[Label]) -> None:
        self.label = event.value

    def _set_scope(self, event: events.ValueChangeEventArguments[bool]) -> None:
        self._all = event.value
