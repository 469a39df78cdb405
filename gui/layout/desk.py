"""The desk of Layout: role and draft, which its parts share, and the way of a change to every part of the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gui.layout.editing import Draft, Editing
from gui.layout.geometry import Refused
from gui.layout.roi_editor import RoiEditor
from gui.service import layouts as calls
from gui.shell import Page
from service.contract.layouts import Layout

LABELS = ("editor", "zoom_in", "zoom_out", "zoom_fit")
COMMANDS = ("undo", "redo", "copy", "paste", "duplicate", "delete")


class Desk:
    """`layout` is what the service has stored, None for a new role; `theirs` what another person stored meanwhile."""

    def __init__(self, here: Page, role_id: str, layout: Layout | None) -> None:
        self.here, self.words, self.client, self.role_id = here, here.words, here.client, role_id
        self.layout = layout
        self.theirs: Layout | None = None
        self.editing = _editing_of(layout)
        self.editor: RoiEditor | None = None
        self.save: Callable[[], Awaitable[Any]] | None = None
        self._parts: list[Callable[[], None]] = []

    @property
    def revision(self) -> int:
        return self.layout.revision if self.layout else 0

    @property
    def locked(self) -> bool:
        return self.editing.draft.locked

    def shows(self, part: Callable[[], None]) -> None:
        """Call `part` now, and after each change."""
        self._parts.append(part)
        part()

    def refresh(self) -> None:
        if self.editor is not None:
            self.editor.show(self.editing, Draft.of(self.theirs) if self.theirs else None)
        for part in self._parts:
            part()

    def change(self, work: Callable[[], object]) -> bool:
        """Change the draft. A refused change tells the person, and leaves the draft as it was."""
        try:
            work()
            done = True
        except Refused as refusal:
            self.here.warn(self.words(f"layout.refused_{refusal.code}", **refusal.values))
            done = False
        self.refresh()
        return done

    def do(self, command: str) -> None:
        # looked up at each press: the desk gets another draft when another layout is loaded
        self.change(getattr(self.editing, command))

    def use(self, tool: str) -> None:
        if self.editor is not None:
            self.editor.use(tool)
            self.refresh()

    def began_from(self, layout: Layout, *, keep_edits: bool) -> None:
        """`layout` is stored now: the edits go, or stay on top of it."""
        self.layout, self.theirs = layout, None
        if keep_edits:
            self.editing.saved, self.editing.size = Draft.of(layout), _size(layout)
        else:
            self.editing = _editing_of(layout)
        self.refresh()

    def show_master(self) -> None:
        layout = self.layout
        if self.editor is not None and layout is not None and layout.master is not None:
            self.editor.show_picture(calls.master_url(layout), layout.master.width, layout.master.height)


def heard(desk: Desk, stem: Callable[[], str], measured: Callable[[Mapping[str, Any]], Awaitable[None]]) -> RoiEditor:
    """The drawing, and what each of its messages does."""

    def draw(message: Mapping[str, Any]) -> None:
        values = message["item"]
        if message["as"] == "mark":
            done = desk.change(lambda: desk.editing.add_mark(values))
        else:
            done = desk.change(lambda: desk.editing.add_roi(values, stem()))
        if done:
            desk.use("select")

    def reshape(message: Mapping[str, Any]) -> None:
        desk.change(lambda: desk.editing.reshape(message["key"], message["item"]))

    def choose(message: Mapping[str, Any]) -> None:
        desk.change(lambda: desk.editing.select(message["key"]))

    async def command(message: Mapping[str, Any]) -> None:
        if message["name"] == "save" and desk.save is not None:
            await desk.save()
        elif message["name"] == "escape":
            _escape(desk)
        elif message["name"] in COMMANDS:
            desk.do(message["name"])
        desk.refresh()

    labels = {name: desk.words(f"layout.label_{name}") for name in LABELS}
    told = {"draw": draw, "reshape": reshape, "choose": choose, "command": command, "measure": measured}
    return RoiEditor(labels, told)


def _escape(desk: Desk) -> None:
    """The first Escape puts the tool down, the second one the selection."""
    if desk.editor is not None and desk.editor.tool != "select":
        desk.editor.use("select")
    else:
        desk.editing.select(None)


def _editing_of(layout: Layout | None) -> Editing:
    return Editing(Draft.of(layout) if layout else Draft(), _size(layout))


def _size(layout: Layout | None) -> tuple[int, int]:
    return (layout.master.width, layout.master.height) if layout and layout.master else (1, 1)
