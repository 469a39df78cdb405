"""What the steps of Teach, and Why, share: the ROI they are about, and buttons that a freeze of training locks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from nicegui import ui

from gui.kit import formats
from gui.preferences import Language
from gui.service.client import Client, ServiceError
from gui.shell import Page, notify, tell
from service.contract.health import Frozen
from service.contract.layouts import LayoutAnswer

T = TypeVar("T")


class Step(Protocol):
    def draw(self) -> None:
        """Once, into the panel that is open."""

    async def refresh(self) -> None:
        """Show what is so now; called each time somebody comes to the step."""


class Desk:
    """`layout` is the role's, when the ROI is drawn in it; `go` opens another step."""

    def __init__(self, here: Page, role_id: str, roi_id: str, guard: Guard, layout: LayoutAnswer | None = None) -> None:
        self.here, self.role_id, self.roi_id, self.layout, self.guard = here, role_id, roi_id, layout, guard
        self.root = ui.column().classes("w-full gap-2")
        self.go: Callable[[str], object] = lambda _: None

    @property
    def client(self) -> Client:
        return self.here.gui.client

    @property
    def language(self) -> Language:
        return self.here.words.language

    def say(self, key: str, /, **values: object) -> str:
        return self.here.words(key, **values)

    async def tried(self, work: Awaitable[T]) -> T | None:
        """Its result; None when the service said no, which the person has been told."""
        try:
            return await work
        except ServiceError as error:
            self.tell(error)
            return None

    def tell(self, error: ServiceError) -> None:
        with self.root:  # the button that was pressed may be gone by now
            tell(self.here, error)

    def note(self, text: str) -> None:
        with self.root:
            notify(text, "positive")


class Guard:
    """Grey buttons, and the reason above them, while training is frozen."""

    def __init__(self, here: Page) -> None:
        self._here = here
        self._buttons: list[tuple[ui.button, Callable[[], bool]]] = []
        with (
            ui.row()
            .classes("card w-full items-center no-wrap gap-3 frozen")
            .props("data-testid=frozen role=status") as self._banner
        ):
            ui.icon("lock", size="24px")
            self._reason = ui.label().classes("text-body1")
        self.look()
        here.every_tick(self.look)

    @property
    def frozen(self) -> Frozen | None:
        health = self._here.gui.link.state.health
        return health.frozen if health else None

    def __call__(self, button: ui.button, when: Callable[[], bool] = lambda: True) -> ui.button:
        """Lock that button while training is frozen, and while `when` is false."""
        self._buttons.append((button, when))
        button.set_enabled(when() and self.frozen is None)
        return button

    def look(self) -> None:
        frozen = self.frozen
        self._banner.set_visibility(frozen is not None)
        if frozen:
            self._reason.text = self._here.words(
                "teach.frozen", by=frozen.by, why=frozen.why,
                since=formats.date_and_time(frozen.since_utc, self._here.words.language),
            )  # fmt: skip
        self._buttons = [(button, when) for button, when in self._buttons if not button.is_deleted]
        for button, when in self._buttons:
            button.set_enabled(when() and frozen is None)


def cell(tag: str, text: str) -> ui.element:
    """`td` or `th` of a table."""
    with ui.element(tag) as made:
        ui.label(text)
    return made
