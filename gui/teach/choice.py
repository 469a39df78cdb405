"""The label of new samples, and the ROIs that are cut from a frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.service.teaching import LABELS
from gui.teach.desk import Desk
from service.contract.words import Label

Refresh = Callable[[], Awaitable[None]]


class Choice:
    def __init__(self, desk: Desk, label: Label) -> None:
        only = desk.roi.roi_id
        self.label: Label = label
        self.roi_ids: list[str] | None = [only]
        with ui.row().classes("w-full items-center gap-6"):
            labels = {name: desk.words(f"teach.as_{name}") for name in LABELS}
            ui.radio(labels, value=label).props("inline data-testid=as").bind_value_to(self, "label")
            if desk.layout and len(desk.layout.rois) > 1:
                one = desk.words("teach.this_region", roi=only)
                scopes = {False: one, True: desk.words("teach.all_regions")}
                scope = ui.radio(scopes, value=False).props("inline data-testid=scope")
                scope.bind_value_to(self, "roi_ids", lambda everything: None if everything else [only])
