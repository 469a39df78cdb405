"""The desk of Teach and Why: the ROI, and buttons that a freeze of training locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode

from nicegui import ui

from gui.kit import formats, widgets
from gui.kit.svg import picture_svg
from gui.language import Language
from gui.service.teaching import TaughtRoi
from gui.shell import Page
from service.contract.health import Frozen
from service.contract.layouts import LayoutAnswer
from service.contract.samples import SampleAbout


class Step(Protocol):
    def draw(self) -> None:
        """Draw the step once, into its open panel."""

    async def refresh(self) -> None:
        """Show the state of now; called each time the person comes to the step."""


class Desk:
    """`layout` is the role's, when the ROI is drawn in it; `go` opens another step."""

    def __init__(self, here: Page, role_id: str, roi_id: str, layout: LayoutAnswer | None = None) -> None:
        self.here, self.words, self.client, self.layout = here, here.words, here.client, layout
        self.roi = TaughtRoi(here.client, role_id, roi_id)
        self.go: Callable[[str], object] = lambda _: None
        self._buttons: list[tuple[ui.button, Callable[[], bool]]] = []
        with ui.row().classes("card w-full items-center no-wrap gap-3 frozen") as self._banner:
            ui.icon("lock", size="24px")
            self._reason = ui.label().classes("text-body1")
        self._banner.props("data-testid=frozen role=status")
        self.look()
        here.every_tick(self.look)

    @property
    def language(self) -> Language:
        return self.here.language

    def button(
        self, text: str, do: widgets.Do, testid: str, look: str = "", icon: str | None = None,
        when: Callable[[], bool] = lambda: True,
    ) -> ui.button:  # fmt: skip
        """A button that is grey while training is frozen, and while `when` is false."""
        made = widgets.button(text, do, testid, look, icon)
        self._buttons.append((made, when))
        made.set_enabled(when() and self._frozen is None)
        return made

    def sample_svg(self, about: SampleAbout, *, side: int | None = 160, **drawn: Any) -> str:
        """The sample with its shape drawn over it, or with `view` and `boxes`."""
        url = self.roi.sample_url(about.label, about.filename, side=side)
        drawn = drawn or {"shape": about.shape}
        return picture_svg(url, about.width, about.height, alt=about.source_name or about.filename, **drawn)

    def look(self) -> None:
        """Lock or unlock the buttons, and show above them why."""
        frozen = self._frozen
        self._banner.set_visibility(frozen is not None)
        if frozen:
            since = formats.date_and_time(frozen.since_utc, self.language)
            self._reason.text = self.words("teach.frozen", by=frozen.by, why=frozen.why, since=since)
        # a step that draws itself again leaves its old buttons behind
        self._buttons = [(button, when) for button, when in self._buttons if not button.is_deleted]
        for button, when in self._buttons:
            button.set_enabled(when() and frozen is None)

    @property
    def _frozen(self) -> Frozen | None:
        health = self.here.gui.link.state.health
        return health.frozen if health else None


def address(role_id: str, roi_id: str, step: str = "") -> str:
    """Of the page Teach."""
    return "/teach?" + urlencode({"role": role_id, "roi": roi_id, **({"step": step} if step else {})})
