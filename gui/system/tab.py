"""What every tab of System gets and shares: the page, how to load itself anew, tables, long work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from html import escape

from nicegui import ui

from gui.service.client import ServiceError
from gui.shell import Page, tell
from service.contract.jobs import JobAnswer


class Tab:
    """`reload` asks and draws it anew; `tick` is done twice a second while it is shown."""

    def __init__(self, here: Page, reload: Callable[[], Awaitable[None]]) -> None:
        self.here, self.gui, self.client = here, here.gui, here.gui.client
        self.language, self.reload = here.words.language, reload
        self.tick: Callable[[], Awaitable[None] | None] = lambda: None

    def say(self, key: str, **values: object) -> str:
        return self.here.words(f"system.{key}", **values)

    def title(self, name: str) -> None:
        ui.label(self.say(name)).classes("text-h5")
        ui.label(self.say(f"{name}_explain")).classes("muted")

    async def follow(self, path: str, bar: ui.element, text: ui.label) -> JobAnswer | None:
        """Show how far a job is; None when it failed, which has been said then."""
        bar.visible = True
        try:
            async for job in self.client.follow(path):
                bar.props(f"value={job.progress}")
                text.text = self.say("percent", n=round(100 * job.progress))
        except ServiceError as error:
            tell(self.here, error)
            return None
        finally:
            bar.visible, text.text = False, ""
        if job.state == "done":
            return job
        problem = job.problem or {}
        tell(self.here, ServiceError(str(problem.get("code", job.state)), str(problem.get("detail", job.state))))
        return None


Fetch = Callable[[Tab], Awaitable[Callable[[], None]]]


def progress() -> tuple[ui.element, ui.label]:
    """A bar that is not there until work begins."""
    with ui.row().classes("w-full items-center no-wrap"):
        bar = ui.element("q-linear-progress").props("size=14px rounded value=0 aria-label=progress")
        text = ui.label().classes("number").props("data-testid=progress")
    bar.visible = False
    return bar, text


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Two columns: what, and how it is."""
    body = "".join(f"<tr><td class=muted>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    ui.html(f"<table class=sheet style='max-width:900px'>{body}</table>", sanitize=False).classes("w-full")


def sheet(names: Sequence[str], rows: Iterable[Sequence[str]], test_id: str) -> None:
    """A table of texts; a cell is made safe unless it is markup of our own: `Markup`."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table class=sheet><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    ui.html(table, sanitize=False).classes("w-full").props(f"data-testid={test_id}")


class Markup(str):
    """Text that is HTML already."""


def outcome(passed: bool, text: str) -> Markup:
    """In colour, shape and word."""
    return Markup(f"<span class={'pass' if passed else 'fail'}>{'✔' if passed else '✘'} {escape(text)}</span>")


def _cell(cell: str) -> str:
    return cell if isinstance(cell, Markup) else escape(cell)
