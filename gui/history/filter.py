"""The filter of History: time, role, region, verdict, part id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from nicegui import ui

from gui.kit.widgets import select
from gui.periods import PERIODS, period
from gui.service.history import Choice
from gui.shell import Page

VIEWS = {"parts": "category", "regions": "grid_view", "overview": "bar_chart"}
VERDICTS = ("", "OK", "NG", "ERROR")


@dataclass(frozen=True)
class Wanted:
    """The filter as the address of the page holds it, so that it can be sent to somebody."""

    view: str = "parts"
    period: str = "today"
    since: str = ""
    until: str = ""
    role: str = ""
    roi: str = ""
    verdict: str = ""
    part: str = ""

    def query(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}

    def choice(self, shifts: tuple[int, ...]) -> Choice:
        """Raises ValueError for a range that is not complete, or ends before it begins."""
        when = period(self.period, datetime.now().astimezone(), shifts, self.since, self.until)
        verdict = "" if self.verdict == "ERROR" and self.view != "parts" else self.verdict
        return Choice(when, self.role, self.roi if self.view != "parts" else "", verdict, self.part.strip())


def wanted(query: Mapping[str, str]) -> Wanted:
    """The filter of an address. Unknown names and values are ignored, because a person may have typed it."""
    known = {name: value for name, value in query.items() if name in vars(Wanted())}
    found = replace(Wanted(), **known)
    return replace(
        found,
        view=found.view if found.view in VIEWS else "parts",
        period=found.period if found.period in PERIODS else "today",
        verdict=found.verdict if found.verdict in VERDICTS else "",
    )


class FilterBar:
    """`changed` is awaited with each new filter."""

    def __init__(
        self, here: Page, places: Mapping[str, list[str]], now: Wanted, changed: Callable[[Wanted], Awaitable[None]]
    ) -> None:
        self._here, self._places, self.now, self._changed = here, places, now, changed

    def draw(self) -> None:
        with ui.row().classes("w-full items-center gap-3"):
            periods = {name: self._say(f"period_{name}") for name in PERIODS}
            self._select("period", periods, self.now.period, self._say("period"), 170)
            with ui.row().classes("items-center no-wrap gap-2") as self._range:
                self._moment("since")
                self._moment("until")
            roles = {"": self._say("all")} | {role: role for role in self._places}
            roles |= {self.now.role: self.now.role} if self.now.role else {}
            self._select("role", roles, self.now.role, self._say("role"), 150)
            self._roi = self._select("roi", self._rois(), self.now.roi, self._say("roi"), 150)
            verdicts = {name: self._say(f"verdict_{name or 'all'}") for name in VERDICTS}
            self._select("verdict", verdicts, self.now.verdict, self._say("verdict"), 150)
            # 400 ms without a key before the service is asked: a scanner types a code faster
            part = ui.input(self._say("part"), value=self.now.part).props("outlined dense clearable debounce=400")
            part.style("width: 170px").props("data-testid=part")
            part.on_value_change(lambda event: self._set(part=event.value or ""))
        self._show()

    def _select(self, name: str, options: dict[str, str], value: str, label: str, width_px: int) -> ui.select:
        field = select(label, options, value, f"filter-{name}").style(f"width: {width_px}px")
        return field.on_value_change(lambda event: self._set(**{name: event.value or ""}))

    def _moment(self, name: str) -> None:
        field = ui.input(self._say(name), value=getattr(self.now, name))
        field.props(f"outlined dense stack-label type=datetime-local data-testid={name}").style("width: 210px")
        field.on_value_change(lambda event: self._set(**{name: event.value or ""}))

    async def _set(self, **changes: str) -> None:
        before, self.now = self.now, replace(self.now, **changes)
        # another role has other ROIs: the one that was chosen stays only when the new role has it too
        if self.now.role != before.role:
            kept = self.now.roi if self.now.roi in self._places.get(self.now.role, []) else ""
            self.now = replace(self.now, roi=kept)
            self._roi.set_options(self._rois(), value=kept)
        self._show()
        if self.now != before:
            await self._changed(self.now)

    async def look_at(self, view: str) -> None:
        await self._set(view=view)

    def _rois(self) -> dict[str, str]:
        rois = self._places.get(self.now.role, [])
        return {"": self._say("all")} | {roi: roi for roi in ([*rois, self.now.roi] if self.now.roi else rois)}

    def _show(self) -> None:
        self._range.visible = self.now.period == "own"
        self._roi.visible = self.now.view != "parts"

    def _say(self, key: str) -> str:
        return self._here.words(f"history.{key}")
