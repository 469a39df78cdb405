"""The parts or regions that fit a filter, page by page; each row leads to its inspection."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nicegui import ui

from gui.kit import formats
from gui.kit.widgets import empty
from gui.service import history as calls
from gui.service.history import Choice
from gui.service.urls import service_picture
from gui.shell import Page
from service.contract.frames import FrameSummary
from service.contract.inspections import InspectionSummary

PER_PAGE = 24
_MARKS = {"OK": "✔", "NG": "✘", "ERROR": "⚠"}


class List:
    """`fetch` asks for a page of the list, `draw` shows it."""

    def __init__(self, here: Page, choice: Choice, parts: bool) -> None:
        self._here, self._choice, self._parts = here, choice, parts
        self._page, self._pages, self._total = 1, 1, 0
        self._rows: Sequence[str] = ()

    async def fetch(self) -> None:
        """Raises ServiceError."""
        client, offset = self._here.client, (self._page - 1) * PER_PAGE
        if self._parts:
            frames = await calls.frames(client, self._choice, PER_PAGE, offset)
            self._total, self._rows = frames.total, [frame_row(self._here, frame) for frame in frames.frames]
        else:
            found = await calls.inspections(client, self._choice, PER_PAGE, offset)
            self._total, self._rows = found.total, [inspection_row(self._here, one) for one in found.inspections]
        # rounded up: -(-7 // 3) is 3
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
        await self._here.tried(self.fetch())
        self._show()

    def _show(self) -> None:
        self._list.content = f"<div class=hlist>{''.join(self._rows)}</div>"


def inspection_row(here: Page, one: InspectionSummary) -> str:
    words = here.words
    score, threshold = (formats.number(value, words.language) for value in (one.score, one.threshold))
    thumb = service_picture(f"inspections/{one.inspection_id}/thumbnail", side=160)
    when, place = formats.date_and_time(one.time_utc, words.language), f"{one.role_id} / {one.roi_id}"
    scores = words("history.score_of", score=score, threshold=threshold)
    cells = [one.part_id or "–", when, place, scores, words("history.version_n", n=one.model_version)]
    return _row(one.inspection_id, thumb, badges(here, one.verdict or "none", one.provisional), cells)


def frame_row(here: Page, one: FrameSummary) -> str:
    words = here.words
    result = words("history.regions_ng", n=one.n_ng or 0, of=one.n_rois or 0)
    if one.problem_code:
        result = words.problem(one.problem_code, one.problem_detail or "")
    when, layout = formats.date_and_time(one.time_utc, words.language), one.layout_revision or "–"
    cells = [one.part_id or "–", when, one.role_id, result, words("history.layout_n", n=layout)]
    thumb = service_picture(f"frames/{one.frame_id}/thumbnail", side=160)
    return _row(one.frame_id, thumb, badges(here, one.verdict or "ERROR", one.provisional), cells)


def _row(name: str, thumb: str, verdict: str, cells: Sequence[str]) -> str:
    texts = "".join(f"<span class=number title='{escape(cell, True)}'>{escape(cell)}</span>" for cell in cells)
    picture = f"<span class=hthumb style=\"background-image:url('{escape(thumb)}')\"></span>"
    link = f'<a class=hrow data-testid=row href="/history/{escape(name)}">'
    return f"{link}{picture}<span class=hverdict>{verdict}</span>{texts}</a>"


def badges(here: Page, verdict: str, provisional: bool, more: str = "") -> str:
    """The verdict, and whether it is provisional."""
    if not provisional:
        return badge(here, verdict, more)
    means, said = (escape(here.words(f"history.{key}"), True) for key in ("provisional_means", "provisional"))
    mark = f'<span class="badge provisional" data-testid=provisional title="{means}">{said}</span>'
    return badge(here, verdict, more) + mark


def badge(here: Page, verdict: str, more: str = "") -> str:
    """A verdict in colour, shape and word. `none`: a model that was not calibrated gives no verdict."""
    said = here.words(f"history.verdict_{verdict}")
    return f'<span class="badge {verdict} {more}">{_MARKS.get(verdict, "–")} {escape(said)}</span>'
