"""What the parts of Layout share: the role, what is being edited, and how a change reaches every part of the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from nicegui import ui

from gui.kit.words import Words
from gui.layout.editing import Draft, Editing
from gui.layout.geometry import Refused
from gui.layout.roi_editor import RoiEditor
from gui.service.client import Client, ServiceError
from gui.shell import Page, notify, tell
from service.contract.layouts import Layout

T = TypeVar("T")
LABELS = ("editor", "zoom_in", "zoom_out", "zoom_fit")


class Desk:
    """`layout` is what the service has stored, None for a new role; `theirs` what somebody else stored meanwhile."""

    def __init__(self, here: Page, role_id: str, layout: Layout | None) -> None:
        self.here, self.role_id = here, role_id
        self.layout = layout
        self.editing = self._editing_of(layout)
        self.theirs: Layout | None = None
        self.root = ui.column().classes("w-full gap-2")
        self.editor: RoiEditor | None = None
        self.save: Callable[[], Awaitable[Any]] | None = None
        self._parts: list[Callable[[], None]] = []

    @property
    def client(self) -> Client:
        return self.here.gui.client

    @property
    def revision(self) -> int:
        return self.layout.revision if self.layout else 0

    @property
    def words(self) -> Words:
        return self.here.words

    def shows(self, part: Callable[[], None]) -> None:
        """Call it after each change, and now."""
        self._parts.append(part)
        part()

    def refresh(self) -> None:
        if self.editor is not None:
            self.editor.show(self.editing, Draft.of(self.theirs) if self.theirs else None)
        for part in self._parts:
            part()

    def change(self, work: Callable[[], object]) -> bool:
        """Do it to what is edited; what is refused is said, and nothing has changed."""
        try:
            work()
            done = True
        except Refused as refusal:
            self.warn(self.words(f"layout.refused_{refusal.code}", **refusal.values))
            done = False
        self.refresh()
        return done

    def use(self, tool: str) -> None:
        if self.editor is not None:
            self.editor.use(tool)
            self.refresh()

    async def tried(self, work: Awaitable[T]) -> T | None:
        """Its result; None when the service said no, which the person has been told."""
        try:
            return await work
        except ServiceError as error:
            self.tell(error)
            return None

    def tell(self, error: ServiceError) -> None:
        with self.root:
            tell(self.here, error)

    def warn(self, text: str) -> None:
        with self.root:
            notify(text, "warning", timeout=6000, close_button=True)

    def note(self, text: str) -> None:
        with self.root:
            notify(text, "positive")

    def began_from(self, layout: Layout, *, keep_edits: bool) -> None:
        """The stored layout is that one now: edits go, or stay upon it."""
        self.layout, self.theirs = layout, None
        if keep_edits:
            self.editing.saved = Draft.of(layout)
            self.editing.size = _size(layout)
        else:
            self.editing = self._editing_of(layout)
        self.refresh()

    def _editing_of(self, layout: Layout | None) -> Editing:
        return Editing(Draft.of(layout) if layout else Draft(), _size(layout))


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
            escape(desk)
        elif message["name"] in COMMANDS:
            desk.change(lambda: getattr(desk.editing, message["name"])())
        desk.refresh()

    labels = {name: desk.words(f"layout.label_{name}") for name in LABELS}
    told = {"draw": draw, "reshape": reshape, "choose": choose, "command": command, "measure": measured}
    return RoiEditor(labels, told)


COMMANDS = ("undo", "redo", "copy", "paste", "duplicate", "delete")


def escape(desk: Desk) -> None:
    """First the tool is put down, then the selection."""
    if desk.editor is not None and desk.editor.tool != "select":
        desk.editor.use("select")
    else:
        desk.editing.select(None)


def _size(layout: Layout | None) -> tuple[int, int]:
    return (layout.master.width, layout.master.height) if layout and layout.master else (1, 1)
