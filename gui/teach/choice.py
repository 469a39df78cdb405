"""What new samples are: their label, the part that they show, the ROIs that are cut from a frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.service.teaching import LABELS
from gui.teach.desk import Desk
from service.contract.words import MAX_NAME, Label

Refresh = Callable[[], Awaitable[None]]


class Choice:
    """`part_id`: of the part that lies there, as far as the screens know it."""

    def __init__(self, desk: Desk, label: Label, part_id: str = "") -> None:
        only = desk.roi.roi_id
        self.label: Label = label
        self.part_id = part_id
        self.roi_ids: list[str] | None = [only]
        with ui.row().classes("w-full items-center gap-6"):
            labels = {name: desk.words(f"teach.as_{name}") for name in LABELS}
            ui.radio(labels, value=label).props("inline data-testid=as").bind_value_to(self, "label")
            if desk.layout and len(desk.layout.rois) > 1:
                one = desk.words("teach.this_region", roi=only)
                scopes = {False: one, True: desk.words("teach.all_regions")}
                scope = ui.radio(scopes, value=False).props("inline data-testid=scope")
                scope.bind_value_to(self, "roi_ids", lambda everything: None if everything else [only])
        part = ui.input(desk.words("teach.part_number"), value=part_id)
        part.props(f"outlined dense clearable maxlength={MAX_NAME} data-testid=part-number").classes("w-full")
        part.props(f'hint="{desk.words("teach.part_number_hint")}"').classes("q-pb-md")
        part.bind_value_to(self, "part_id", lambda value: str(value or "").strip())
