"""Scores as bars and dots, and the threshold as a line over them: a slider exactly over the axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import events, ui

from gui.kit.formats import number
from gui.teach.desk import Desk
from gui.teach.score_axis import BINS, Axis, histogram, tick_digits, ticks

# At least 3:1 against the card in light and in dark; different shapes for people who do not see the colours.
OK_BAR, NG_BAR = "#2e9e63", "#d9434e"
HEIGHT_PX, DOTS_PX = 190, 38


class ScoreChart:
    """`moved` is called with each place to which the line is dragged."""

    def __init__(
        self, desk: Desk, ok: Sequence[float], ng: Sequence[float], along: Axis, threshold: float,
        suggested: float, moved: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.along, self._moved = along, moved
        _legend(desk, len(ok), len(ng))
        with ui.element("div").classes("scores").style(f"height: {HEIGHT_PX}px"):
            ui.echart(chart_options(ok, ng, along)).classes("w-full").style(f"height: {HEIGHT_PX}px")
            ui.element("div").classes("suggestion").style(f"left: {100 * along.share(suggested):.3f}%")
            self._line = ui.slider(
                min=along.low, max=along.high, step=along.step, value=self._on_axis(threshold), on_change=self._dragged
            )
            self._line.props(f'aria-label="{desk.words("teach.threshold")}" data-testid=line')
        _tick_labels(desk, along)
        if along.beyond:
            ui.label(desk.words("teach.beyond", n=along.beyond)).classes("muted")

    def move(self, threshold: float) -> None:
        """Put the line there without a call of `moved`."""
        # the browser echoes the value, which must not count as a drag
        self._silent = self._on_axis(threshold)
        self._line.value = self._silent

    def _on_axis(self, threshold: float) -> float:
        return min(max(threshold, self.along.low), self.along.high)

    def _dragged(self, event: events.ValueChangeEventArguments[float | None]) -> None:
        if event.value is not None and event.value != getattr(self, "_silent", None):
            self._moved(event.value)


def chart_options(ok: Sequence[float], ng: Sequence[float], along: Axis) -> dict[str, Any]:
    """Bars over equal parts of the axis, below them a dot for each picture. No margins: places agree with the line."""
    bars = {"type": "bar", "barGap": "-100%", "barCategoryGap": "4%", "xAxisIndex": 0, "yAxisIndex": 0}
    dots = {"type": "scatter", "xAxisIndex": 1, "yAxisIndex": 1, "symbolSize": 9}
    top = HEIGHT_PX - DOTS_PX
    return {
        "animation": False,
        "grid": [
            {"left": 0, "right": 0, "top": 30, "height": top - 30},
            {"left": 0, "right": 0, "top": top + 4, "bottom": 4},
        ],
        "xAxis": [
            {"type": "category", "data": list(range(BINS)), "show": False, "gridIndex": 0},
            {"type": "value", "min": along.low, "max": along.high, "show": False, "gridIndex": 1},
        ],
        "yAxis": [
            {"type": "value", "show": False, "gridIndex": 0},
            {"type": "value", "min": 0, "max": 3, "show": False, "gridIndex": 1},
        ],
        "series": [
            {**bars, "data": histogram(ok, along), "itemStyle": {"color": OK_BAR, "opacity": 0.85}},
            {**bars, "data": histogram(ng, along), "itemStyle": {"color": NG_BAR, "opacity": 0.75}},
            {**dots, "symbol": "circle", "data": _dots(ok, along, 2), "itemStyle": {"color": OK_BAR}},
            {**dots, "symbol": "triangle", "data": _dots(ng, along, 1), "itemStyle": {"color": NG_BAR}},
        ],
    }


def _dots(scores: Sequence[float], along: Axis, height: int) -> list[list[float]]:
    return [[min(score, along.high), height] for score in scores]


def _legend(desk: Desk, n_ok: int, n_ng: int) -> None:
    with ui.row().classes("items-center gap-4 w-full"):
        for key, n, symbol, colour in (("teach.legend_ok", n_ok, "●", OK_BAR), ("teach.legend_ng", n_ng, "▲", NG_BAR)):
            with ui.row().classes("items-center gap-1 no-wrap"):
                ui.label(symbol).style(f"color: {colour}; font-size: 18px")
                ui.label(desk.words(key, n=n))
        with ui.row().classes("items-center gap-1 no-wrap"):
            ui.label("┆").classes("text-weight-bold")
            ui.label(desk.words("teach.legend_suggested"))


def _tick_labels(desk: Desk, along: Axis) -> None:
    values = ticks(along)
    digits = tick_digits(values)
    with ui.element("div").classes("axis number muted"):
        for value in values:
            if 0.02 < along.share(value) < 0.98:  # a number at the very end would stick out
                with ui.element("span").style(f"left: {100 * along.share(value):.3f}%"):
                    ui.label(number(value, desk.language, digits))
    ui.label(desk.words("teach.axis")).classes("muted self-center")
