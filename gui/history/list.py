"""The parts or regions that fit a filter, a page at a time, each a way to its whole inspection."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nicegui import ui

from gui.kit import formats
from gui.service import history as calls
from gui.service.client import ServiceError
from gui.service.history import Choice
from gui.service.urls import service_picture
from gui.shell import Page, empty, tell
from service.contract.frames import FrameSummary
from service.contract.inspections import InspectionSummary

PER_PAGE = 24
CSS = """
.hlist { display: flex; flex-direction: column; gap: 6px; }
.hrow { display: grid; grid-template-columns: 72px 110px minmax(120px, 1.3fr) 190px minmax(120px, 1.2fr) 190px 110px;
        align-items: center; gap: 14px; padding: 4px 12px 4px 4px; background: var(--card); color: var(--text);
        border: 1px solid var(--line); border-radius: 8px; text-decoration: none; font-size: 15px; }
.hrow:hover { border-color: var(--q-primary); }
.hrow > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.hthumb { height: 52px; border-radius: 6px; background: #8884 center / cover no-repeat; }
.badge { font-weight: 700; border-radius: 6px; padding: 3px 10px; color: #fff; display: inline-block; }
.badge.OK { background: #11703c; } .badge.NG { background: #b3141f; } .badge.ERROR { background: #7a4d00; }
.badge.none { background: #4a5967; }
.hsheet { border-collapse: collapse; width: 100%; font-size: 15px; text-align: left; }
.hsheet th { font-weight: 600; color: var(--muted); padding: 6px 12px; }
.hsheet td { padding: 6px 12px; border-top: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top; }
.hsheet td.muted { white-space: nowrap; overflow-wrap: normal; width: 1%; }
.hsheet a { color: var(--text); }
.big { font-size: 26px; padding: 4px 20px; }
"""
_MARKS = {"OK": "✔", "NG": "✘", "ERROR": "⚠"}


class List:
    """`fetch` asks for the page, `draw` shows it."""

    def __init__(self, here: Page, choice: Choice, parts: bool) -> None:
        self._here, self._choice, self._parts = here, choice, parts
        self._page, self._pages, self._total = 1, 1, 0
        self._rows: Sequence[str] = ()

    async def fetch(self) -> None:
        """Raises ServiceError."""
        client, offset = self._here.gui.client, (self._page - 1) * PER_PAGE
        if self._parts:
            frames = await calls.frames(client, self._choice, PER_PAGE, offset)
            self._total, self._rows = frames.total, [frame_row(self._here, frame) for frame in frames.frames]
        else:
            found = await calls.inspections(client, self._choice, PER_PAGE, offset)
            self._total, self._rows = found.total, [inspection_row(self._here, one) for one in found.inspections]
        self._pages = max(1, -(-self._total // PER_PAGE))

    def draw(self, total: ui.label) -> None:
        words = self._here.words
        total.text = words("history.total", n=formats.number(self._total, words.language, 0))
        if not self._total:
            empty("search_off", words("history.nothing"), words("history.to_inspect"), "/")
            return
        self._list = ui.html("", sanitize=False).classes("w-full").props("data-testid=rows")
        self._show()
        if self._pages > 1:
            turn = ui.pagination(1, self._pages, direction_links=True, value=1).props("max-pages=9 data-testid=pages")
            turn.classes("self-center").on_value_change(lambda event: self._turn(event.value))

    async def _turn(self, page: int) -> None:
        self._page = page
        try:
            await self.fetch()
        except ServiceError as error:
            tell(self._here, error)
            return
        self._show()

    def _show(self) -> None:
        self._list.content = f"<div class=hlist>{''.join(self._rows)}</div>"


def inspection_row(here: Page, one: InspectionSummary) -> str:
    words = here.words
    score, threshold = (formats.number(value, words.language) for value in (one.score, one.threshold))
    thumb = service_picture(f"inspections/{one.inspection_id}/thumbnail", side=160)
    cells = [
        one.part_id or "–",
        formats.date_and_time(one.time_utc, words.language),
        f"{one.role_id} / {one.roi_id}",
        words("history.score_of", score=score, threshold=threshold),
        words("history.version_n", n=one.model_version),
    ]
    return _row(here, one.inspection_id, thumb, one.verdict or "none", cells)


def frame_row(here: Page, one: FrameSummary) -> str:
    words = here.words
    result = words("history.regions_ng", n=one.n_ng or 0, of=one.n_rois or 0)
    if one.problem_code:
        result = words.problem(one.problem_code, one.problem_detail or "")
    cells = [
        one.part_id or "–",
        formats.date_and_time(one.time_utc, words.language),
        one.role_id,
        result,
        words("history.layout_n", n=one.layout_revision or "–"),
    ]
    thumb = service_picture(f"frames/{one.frame_id}/thumbnail", side=160)
    return _row(here, one.frame_id, thumb, one.verdict or "ERROR", cells)


def _row(here: Page, name: str, thumb: str, verdict: str, cells: Sequence[str]) -> str:
    texts = "".join(f"<span class=number title='{escape(cell, True)}'>{escape(cell)}</span>" for cell in cells)
    picture = f"<span class=hthumb style=\"background-image:url('{escape(thumb)}')\"></span>"
    link = f'<a class=hrow data-testid=row href="/history/{escape(name)}">'
    return f"{link}{picture}<span>{badge(here, verdict)}</span>{texts}</a>"


def badge(here: Page, verdict: str, more: str = "") -> str:
    """In colour, shape and word. `none`: a model that was not calibrated has no verdict."""
    said = here.words(f"history.verdict_{verdict}")
    return f'<span class="badge {verdict} {more}">{_MARKS.get(verdict, "–")} {escape(said)}</span>'
