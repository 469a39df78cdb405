"""Pareto and trend of a shift report, drawn with lines and boxes."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String
from reportlab.lib.colors import HexColor

from gui.history.pareto import Bar
from gui.kit import formats
from gui.language import Language
from service.contract.inspections import TrendPoint

WIDTH = 500.0
BLUE, RED, GREY, DARK = HexColor("#0b5394"), HexColor("#b3141f"), HexColor("#c4ccd4"), HexColor("#15202b")
_SMALL, _ROW, _NAMES = 8, 16.0, 150.0
MOST_BARS = 12


def pareto_drawing(bars: Sequence[Bar], language: Language) -> Drawing:
    """One row a region: name, bar, number and cumulated share."""
    shown = bars[:MOST_BARS]
    drawing = Drawing(WIDTH, _ROW * len(shown) + 4)
    most = max(bar.n_ng for bar in shown)
    for row, bar in enumerate(shown):
        y = _ROW * (len(shown) - 1 - row) + 4
        length = (WIDTH - _NAMES - 90) * bar.n_ng / most
        drawing.add(_text(_NAMES - 6, y + 3, _short(bar.name), "end"))
        drawing.add(Rect(_NAMES, y, length, _ROW - 5, fillColor=RED, strokeColor=None))
        said = f"{bar.n_ng}  ({formats.percent(bar.cumulated, language, 0)})"
        drawing.add(_text(_NAMES + length + 6, y + 3, said))
    return drawing


def trend_drawing(points: Sequence[TrendPoint], threshold: float | None, language: Language) -> Drawing:
    """Mean score as a line, the largest score as a line above it, the threshold dashed. Needs at least one point."""
    height, left, bottom = 90.0, 46.0, 16.0
    top = 1.1 * max([point.score_max or point.score_mean or 0 for point in points] + [threshold or 0]) or 1.0
    drawing = Drawing(WIDTH, height + 8)
    step = (WIDTH - left - 10) / max(len(points) - 1, 1)

    def y(score: float) -> float:
        return bottom + (height - bottom) * score / top

    drawing.add(Line(left, bottom, WIDTH, bottom, strokeColor=GREY))
    for score in (0.0, top):
        drawing.add(_text(left - 4, y(score) - 3, formats.number(score, language), "end"))
    # the mean last, because it is the line that has to be seen
    for values, colour in (([p.score_max for p in points], RED), ([p.score_mean for p in points], BLUE)):
        drawing.add(_polyline([(left + step * i, y(value or 0.0)) for i, value in enumerate(values)], colour))
    if threshold is not None:
        drawing.add(Line(left, y(threshold), WIDTH, y(threshold), strokeColor=DARK, strokeDashArray=[4, 3]))
    for point, x, anchor in ((points[0], left, "start"), (points[-1], WIDTH, "end")):
        drawing.add(_text(x, 4, formats.date_and_time(point.start_utc, language)[:16], anchor))
    return drawing


def _polyline(points: list[tuple[float, float]], colour: HexColor) -> PolyLine | Rect:
    """A small box for a single point, which would make no line."""
    if len(points) == 1:
        return Rect(points[0][0] - 2, points[0][1] - 2, 4, 4, fillColor=colour, strokeColor=None)
    return PolyLine([coordinate for point in points for coordinate in point], strokeColor=colour, strokeWidth=1.3)


def _text(x: float, y: float, text: str, anchor: str = "start") -> String:
    return String(x, y, printable(text), fontName="Helvetica", fontSize=_SMALL, textAnchor=anchor, fillColor=DARK)


def _short(name: str) -> str:
    return name if len(name) <= 30 else name[:29] + "…"


def printable(text: str) -> str:
    """Letters that the standard fonts of PDF lack become a question mark: they know western Europe only."""
    return text.encode("cp1252", "replace").decode("cp1252")
