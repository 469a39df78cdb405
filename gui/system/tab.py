"""The base of all tabs of System: title, reload, long work, results in colour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from nicegui import ui

from gui.kit.tables import Markup
from gui.kit.widgets import progress_bar
from gui.service.jobs import failure
from gui.shell import Page
from service.contract.health import Health
from service.contract.jobs import JobAnswer


class Tab:
    """`reload` asks the service again and draws the tab again; `tick` is called twice a second while it is shown."""

    def __init__(self, here: Page, reload: Callable[[], Awaitable[None]]) -> None:
        self.here, self.gui, self.client = here, here.gui, here.client
        self.language, self.reload, self.tried = here.language, reload, here.tried
        self.tick: Callable[[], Awaitable[None] | None] = lambda: None

    async def health(self) -> Health:
        return await self.client.once("/health", Health, also=(503,), timeout_s=5.0)

    def say(self, key: str, **values: object) -> str:
        return self.here.words(f"system.{key}", **values)

    def title(self, name: str) -> None:
        ui.label(self.say(name)).classes("text-h5")
        ui.label(self.say(f"{name}_explain")).classes("muted")

    def columns(self, *names: str) -> list[str]:
        return [self.say(f"col_{name}") for name in names]

    async def sure(self, question: str, do: str, **values: object) -> bool:
        return await self.here.sure(self.say(question, **values), self.say(do))


Fetch = Callable[[Tab], Awaitable[Callable[[], None]]]


class Progress:
    """A bar with a percentage, hidden until a job runs."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        with ui.row().classes("w-full items-center no-wrap"):
            self._bar = progress_bar()
            self._text = ui.label().classes("number").props("data-testid=progress")

    async def follow(self, starting: Awaitable[str]) -> bool:
        """Start a job and show its progress. False when it failed; the person has been told then."""
        job = await self._tab.tried(self._ended(starting))
        if job and job.state != "done":
            self._tab.here.tell(failure(job))
        return job is not None and job.state == "done"

    async def _ended(self, starting: Awaitable[str]) -> JobAnswer:
        path = await starting
        self._bar.visible = True
        try:
            async for job in self._tab.client.follow(path):
                self._bar.props(f"value={job.progress}")
                self._text.text = self._tab.say("percent", n=round(100 * job.progress))
        finally:
            self._bar.visible, self._text.text = False, ""
        return job


def outcome(passed: bool, text: str) -> Markup:
    """A result in colour, shape and word."""
    return Markup(f"<span class={'pass' if passed else 'fail'}>{'✔' if passed else '✘'} {escape(text)}</span>")
