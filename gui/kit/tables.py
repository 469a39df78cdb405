"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from nicegui import ui


class Markup(str):
    """Text that is HTML already, made by us."""


def sheet(names: Sequence[str], rows: Iterable[Sequence[str]], testid: str = "") -> None:
    """A table with a header. A cell is escaped unless it is `Markup`."""
    _table(f"<thead>{_row(names, 'th')}</thead><tbody>{''.join(map(_row, rows))}</tbody>", testid)


def facts(rows: Iterable[tuple[str, str]], testid: str = "") -> None:
    """Two columns: a name, and its value."""
    _table("".join(f"<tr><td class=muted>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows),
           testid, "style='max-width:900px'")  # fmt: skip


def bold(text: str) -> Markup:
    return Markup(f"<b class=number>{escape(text)}</b>")


def header(*names: str) -> None:
    """The header of a table whose rows hold buttons or pictures, and are drawn as elements."""
    with ui.element("tr"):
        for name in names:
            cell(name, "th")


def cell(text: str, tag: str = "td") -> ui.element:
    with ui.element(tag) as made:
        ui.label(text)
    return made


def _table(inside: str, testid: str, more: str = "") -> None:
    table = ui.html(f"<table class=sheet {more}>{inside}</table>", sanitize=False).classes("w-full")
    if testid:
        table.props(f"data-testid={testid}")


def _row(cells: Sequence[str], tag: str = "td") -> str:
    texts = (cell if isinstance(cell, Markup) else escape(cell) for cell in cells)
    return "<tr>" + "".join(f"<{tag}>{text}</{tag}>" for text in texts) + "</tr>"
