"""Overview of a period: counts, drift, Pareto of NG verdicts, trend of the scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nicegui import ui

from gui.history.pareto import COUNTS, Bar, counts, name_of, pareto, parts, series
from gui.kit import formats
from gui.kit.tables import sheet
from gui.kit.widgets import empty
from gui.shell import Page
from service.contract.frames import FramesSummary
from service.contract.inspections import InspectionsSummary, RoiSummary, TrendPoint


def draw_overview(here: Page, summary: InspectionsSummary, frames: FramesSummary | None) -> None:
    words, language = here.words, here.words.language
    if not any(roi.n for roi in summary.rois):
        empty("search_off", words("history.nothing"), words("history.to_inspect"), "/")
        return
    for roi in summary.rois:
        if roi.drift and roi.drift.warning:
            ratio = formats.number(roi.drift.ratio, language)
            with ui.row().classes("card w-full items-center no-wrap").props("data-testid=drift"):
                ui.icon("warning", size="32px").style("color: #d08700")
                ui.label(words("report.drift_roi", roi=name_of(roi), ratio=ratio))
    if frames:
        ui.label(parts(words, frames)).classes("card w-full text-body1 number").props("data-testid=counts")
    with ui.grid(columns="minmax(0, 1fr) minmax(0, 1fr)").classes("w-full gap-3"):
        _pareto(here, pareto(summary.rois))
        _trend(here, summary)
    with ui.column().classes("card w-full"):
        _table(here, summary.rois)


def _pareto(here: Page, bars: Sequence[Bar]) -> None:
    with ui.column().classes("card gap-1"):
        ui.label(here.words("report.pareto")).classes("text-h6")
        if not bars:
            ui.label(here.words("report.no_ng")).classes("muted")
            return
        chart = ui.echart(pareto_options(bars, _colour(here))).classes("w-full").style("height: 300px")
        chart.props("data-testid=pareto")


def _trend(here: Page, summary: InspectionsSummary) -> None:
    found = series(summary.trend)
    thresholds = {name_of(roi): roi.threshold for roi in summary.rois}
    with ui.column().classes("card gap-1"):
        with ui.row().classes("w-full items-center"):
            ui.label(here.words("report.trend")).classes("text-h6 col")
            if not found:
                return
            first = next(iter(found))
            which = ui.select(list(found), value=first).props("outlined dense data-testid=trend-roi")

        def options(name: str) -> dict[str, Any]:
            return trend_options(here, found[name], thresholds.get(name), _colour(here))

        chart = ui.echart(options(first)).classes("w-full").style("height: 280px").props("data-testid=trend")

        def change(name: str) -> None:
            chart.options.update(options(name))  # the same keys for every ROI
            chart.update()

        which.on_value_change(lambda event: change(event.value))


def pareto_options(bars: Sequence[Bar], colour: str) -> dict[str, Any]:
    """Options of ECharts: bars from the largest, and the share they add up to as a line."""
    text = {"textStyle": {"color": colour, "fontSize": 14}}
    axis = _axis(colour)
    return {
        **text, "animation": False, "tooltip": {}, "grid": {"left": 50, "right": 60, "top": 20, "bottom": 40},
        "xAxis": {"type": "category", "data": [bar.name for bar in bars], **axis},
        "yAxis": [
            {"type": "value", "minInterval": 1, **axis},
            {"type": "value", "max": 100, "axisLabel": {"formatter": "{value} %", "color": colour, "fontSize": 14},
             "splitLine": {"show": False}},
        ],
        "series": [
            {"type": "bar", "data": [bar.n_ng for bar in bars], "itemStyle": {"color": "#b3141f"}, "barMaxWidth": 60,
             "label": {"show": True, "position": "top", "color": colour}},
            {"type": "line", "yAxisIndex": 1, "data": [round(100 * bar.cumulated, 1) for bar in bars],
             "itemStyle": {"color": "#d08700"}},
        ],
    }  # fmt: skip


def trend_options(here: Page, points: Sequence[TrendPoint], threshold: float | None, colour: str) -> dict[str, Any]:
    """Options of ECharts: mean and largest score over time, the threshold as a dashed line."""
    words, axis = here.words, _axis(colour)
    times = [formats.date_and_time(point.start_utc, words.language)[:16] for point in points]
    top = max([threshold or 0.0, *(point.score_max or 0.0 for point in points)])
    mean = {
        "type": "line", "name": words("history.mean"), "data": [point.score_mean for point in points],
        "itemStyle": {"color": "#3d8fd1"}, "lineStyle": {"width": 3},
    }  # fmt: skip
    if threshold is not None:
        line = {"yAxis": threshold, "label": {"formatter": formats.number(threshold, words.language), "color": colour}}
        mean["markLine"] = {
            "symbol": "none", "silent": True, "data": [line], "lineStyle": {"color": colour, "type": "dashed"},
        }  # fmt: skip
    largest = {
        "type": "line", "name": words("history.largest"), "data": [point.score_max for point in points],
        "itemStyle": {"color": "#d6454f"},
    }  # fmt: skip
    return {
        "textStyle": {"color": colour, "fontSize": 14}, "animation": False, "tooltip": {"trigger": "axis"},
        "legend": {"top": 0, "textStyle": {"color": colour, "fontSize": 14}},
        "grid": {"left": 55, "right": 60, "top": 34, "bottom": 40},
        "xAxis": {"type": "category", "data": times, **axis},
        "yAxis": {"type": "value", "max": nice_top(top), **axis}, "series": [mean, largest],
    }  # fmt: skip


def _axis(colour: str) -> dict[str, Any]:
    return {"axisLabel": {"color": colour, "fontSize": 14}, "splitLine": {"lineStyle": {"color": "#8884"}}}


def nice_top(value: float) -> float:
    """A round end for an axis that holds `value`: one digit, then zeros."""
    if value <= 0:
        return 1.0
    # at most ten steps to the axis, and numbers that can be read
    unit: float = 10.0 ** math.floor(math.log10(value))
    return round(math.ceil(value / unit) * unit, 6)


def _table(here: Page, rois: Sequence[RoiSummary]) -> None:
    language = here.language
    names = [here.words(f"report.col_{name}") for name in (*COUNTS, "threshold")]
    sheet(names, ([*counts(roi, language), formats.number(roi.threshold, language)] for roi in rois), "roi-table")


def _colour(here: Page) -> str:
    return "#eef3f7" if here.gui.preferences.now.dark else "#15202b"
