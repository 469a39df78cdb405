"""The drawing of a layout as an element of a page; its other half is roi_editor.js."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import events
from nicegui.element import Element

from gui.kit.widgets import done
from gui.layout.editing import Draft, Editing
from service.contract.layouts import Affine, Box

Told = Callable[[Mapping[str, Any]], Awaitable[None] | None]
TOOLS = ("select", "rect", "circle", "annulus", "mark", "measure")


class RoiEditor(Element, component="roi_editor.js"):
    """`told[name]` hears the messages of the browser. Afterwards the drawing shows what `editing` says."""

    def __init__(self, labels: Mapping[str, str], told: Mapping[str, Told]) -> None:
        super().__init__()
        self._props.update(
            labels=dict(labels), items=[], others=[], selected="", tool="select", locked=False, stamp=0, echo=0,
            picture="", width=1, height=1, matrix=None, dirty=False,
        )  # fmt: skip
        for name, hears in told.items():
            self.on(name, self._hearing(hears))

    @property
    def tool(self) -> str:
        return str(self._props["tool"])

    def use(self, tool: str) -> None:
        self._props["tool"] = tool
        self.update()

    def show_picture(self, url: str, width: int, height: int, matrix: Affine | None = None) -> None:
        """`matrix` takes the ROIs to another picture than the master, where they are shown and not edited."""
        # column by column, as SVG names a matrix
        columns = [value for pair in zip(*matrix, strict=True) for value in pair] if matrix else None
        self._props.update(picture=url, width=width, height=height, matrix=columns)
        self.update()

    def show(self, editing: Editing, others: Draft | None = None) -> None:
        """`others`: the layout that another person has stored, drawn in another colour."""
        self._props.update(
            items=items(editing.draft), others=items(others) if others else [], selected=editing.selected or "",
            locked=editing.draft.locked, dirty=editing.dirty, stamp=self._props["stamp"] + 1,
        )  # fmt: skip
        self.update()

    def _hearing(self, told: Told) -> Callable[[events.GenericEventArguments], Awaitable[None]]:
        async def hear(event: events.GenericEventArguments) -> None:
            # the browser ignores items that answer an earlier message than its last one
            self._props["echo"] = event.args["number"]
            await done(told(event.args))

        return hear


def items(draft: Draft) -> list[dict[str, Any]]:
    """The items of the drawing, search areas first, because an item drawn later is hit first."""
    searches = [_box(f"search:{n}", "search", "", mark.search) for n, mark in enumerate(draft.marks)]
    marks = [_box(f"mark:{n}", "mark", f"M{n + 1}", mark) for n, mark in enumerate(draft.marks)]
    rois = [
        {"key": f"roi:{n}", "type": "roi", "name": roi.roi_id, "angle": roi.angle_deg, **roi.shape.model_dump()}
        for n, roi in enumerate(draft.rois)
    ]
    return [*searches, *rois, *marks]


def _box(key: str, type_: str, name: str, box: Box) -> dict[str, Any]:
    sides = box.model_dump(include={"x", "y", "w", "h"})
    return {"key": key, "type": type_, "name": name, "kind": "rect", "angle": 0.0, **sides}
