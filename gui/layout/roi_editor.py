"""The drawing of a layout as an element of a page: what it shows, and what it tells when the pointer goes up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import events
from nicegui.element import Element

from gui.layout.editing import Draft, Editing
from service.contract.layouts import Affine, Box

Told = Callable[[Mapping[str, Any]], Awaitable[None] | None]
MESSAGES = ("draw", "reshape", "choose", "command", "measure")
TOOLS = ("select", "rect", "circle", "annulus", "mark", "measure")
CSS = """
.roi-editor { position: relative; overflow: hidden; touch-action: none; user-select: none; background: #20262c;
              border: 1px solid var(--line); border-radius: 8px; width: 100%; height: 100%; cursor: crosshair; }
.roi-editor.tool-select { cursor: grab; }
.roi-editor svg { display: block; }
.roi-editor path, .roi-editor circle { vector-effect: non-scaling-stroke; }
.roi-editor path { fill: none; pointer-events: none; }
.roi-editor .hit { pointer-events: all; fill: transparent; fill-rule: evenodd; stroke: transparent; stroke-width: 20; }
.roi-editor .search .hit { pointer-events: stroke; }
.roi-editor.tool-select .hit { cursor: move; }
.roi-editor .under { stroke: #000; stroke-width: 4; }
.roi-editor .line { stroke: #ffd54a; stroke-width: 2; }
.roi-editor .mark .line { stroke: #ff8ae0; }
.roi-editor .search .line, .roi-editor .search .under { stroke: #ff8ae0; stroke-dasharray: 8 6; }
.roi-editor .search .under { stroke: #000; }
.roi-editor .chosen .line { stroke: #4fdcff; stroke-width: 3; }
.roi-editor .chosen .hit { fill: rgba(79, 220, 255, .14); }
.roi-editor .bad .line { stroke: #ff5a4d; }
.roi-editor .bad .hit { fill: rgba(255, 90, 77, .3); }
.roi-editor .theirs { stroke: #b6ff6b; stroke-width: 3; stroke-dasharray: 4 5; }
.roi-editor .sketch { stroke: #4fdcff; stroke-width: 2; stroke-dasharray: 6 4; }
.roi-editor .end { fill: none; stroke: #4fdcff; stroke-width: 2; }
.roi-editor .name { font-size: 15px; font-weight: 600; text-anchor: middle; fill: #ffe48a; stroke: #000;
                    stroke-width: 4px; paint-order: stroke; pointer-events: none; }
.roi-editor .name.mark { fill: #ffc4f0; }
.roi-editor .stem { stroke: #4fdcff; stroke-width: 2; }
.roi-editor .handle { cursor: pointer; }
.roi-editor .handle circle { fill: #fff; stroke: #00506b; stroke-width: 3; }
.roi-editor .handle.inner circle { fill: #ffd54a; }
.roi-editor .handle.turn circle { fill: #4fdcff; }
.roi-editor .handle.move circle { fill: #0009; stroke: #fff; }
.roi-editor .handle circle.touch { fill: transparent; stroke: none; }
.roi-editor .zoom { position: absolute; right: 8px; bottom: 8px; display: flex; gap: 6px; }
.roi-editor .zoom button { width: 44px; height: 44px; border-radius: 8px; border: 1px solid #fff8; color: #fff;
                           background: #12324fd9; font-size: 22px; cursor: pointer; }
"""


class RoiEditor(Element, component="roi_editor.js"):
    """`told[name]` hears the messages; whatever it does, the drawing shows afterwards what `editing` says."""

    def __init__(self, labels: Mapping[str, str], told: Mapping[str, Told]) -> None:
        super().__init__()
        self._props.update(
            labels=dict(labels), items=[], others=[], selected="", tool="select", locked=False, stamp=0, echo=0,
            picture="", width=1, height=1, matrix=None, dirty=False,
        )  # fmt: skip
        for name in MESSAGES:
            self.on(name, self._hearing(told[name]))

    @property
    def tool(self) -> str:
        return str(self._props["tool"])

    def use(self, tool: str) -> None:
        self._props["tool"] = tool
        self.update()

    def show_picture(self, url: str, width: int, height: int, matrix: Affine | None = None) -> None:
        """`matrix`: another picture than the master; the ROIs lie where it takes them, and are not edited there."""
        (a, b, tx), (c, d, ty) = matrix or ((1, 0, 0), (0, 1, 0))
        self._props.update(
            picture=url, width=width, height=height, matrix=[a, c, b, d, tx, ty] if matrix is not None else None
        )
        self.update()

    def show(self, editing: Editing, others: Draft | None = None) -> None:
        """`others`: what somebody else has stored, drawn beside."""
        self._props.update(
            items=items(editing.draft), others=items(others) if others else [], selected=editing.selected or "",
            locked=editing.draft.locked, dirty=editing.dirty, stamp=self._props["stamp"] + 1,
        )  # fmt: skip
        self.update()

    def _hearing(self, told: Told) -> Callable[[events.GenericEventArguments], Awaitable[None]]:
        async def hear(event: events.GenericEventArguments) -> None:
            self._props["echo"] = event.args["number"]
            waiting = told(event.args)
            if waiting is not None:
                await waiting

        return hear


def items(draft: Draft) -> list[dict[str, Any]]:
    """What the component draws, the search areas lowest: what lies over another is hit first."""
    searches = [_box(f"search:{n}", "search", "", mark.search) for n, mark in enumerate(draft.marks)]
    marks = [_box(f"mark:{n}", "mark", f"M{n + 1}", mark) for n, mark in enumerate(draft.marks)]
    rois = [
        {"key": f"roi:{n}", "type": "roi", "name": roi.roi_id, "angle": roi.angle_deg, **roi.shape.model_dump()}
        for n, roi in enumerate(draft.rois)
    ]
    return [*searches, *rois, *marks]


def _box(key: str, type_: str, name: str, box: Box) -> dict[str, Any]:
    return {
        "key": key, "type": type_, "name": name, "kind": "rect", "angle": 0.0,
        "x": box.x, "y": box.y, "w": box.w, "h": box.h,
    }  # fmt: skip
