"""The shift report as a PDF: station and period, counts, proved rates, drift, Pareto, trend, NG parts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from PIL import Image as Picture
from PIL import UnidentifiedImageError
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from gui.history.pareto import COUNTS, counts, name_of, pareto, parts, series
from gui.history.report_charts import pareto_drawing, printable, trend_drawing
from gui.history.report_data import ReportData, RoiReport
from gui.kit import formats
from gui.kit.words import Words
from service.contract.inspections import InspectionSummary

_MARGIN = 16 * mm
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", parent=_HEAD, fontSize=18, leading=24)
_SECTION = ParagraphStyle("section", parent=_HEAD, fontSize=12, leading=16, spaceBefore=12, spaceAfter=4)
_WARNING = ParagraphStyle("warning", parent=_BODY, textColor=HexColor("#8a5300"), spaceAfter=3)
_GRID = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#c4ccd4")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
)
_THUMB = 16 * mm


def shift_report(data: ReportData, words: Words, now: datetime) -> bytes:
    """PDF, A4, in the language of `words`."""
    # twice, for "Page 2 of 5": only after all pages are drawn is their number known
    _, pages = _built(data, words, now, 0)
    return _built(data, words, now, pages)[0]


def _built(data: ReportData, words: Words, now: datetime, pages: int) -> tuple[bytes, int]:
    """The PDF, and the number of its pages."""
    draw = _Drawing(data, words)
    story = [
        *draw.header(now), *draw.counts(), *draw.proved(), *draw.drift(), *draw.pareto(), *draw.trend(), *draw.worst(),
    ]  # fmt: skip
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=words("report.title"), author="BrakeDisc Inspector", lang=words.language,
    )  # fmt: skip

    def number(canvas: Canvas, _: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        said = words("report.page", page=document.page, pages=pages)
        canvas.drawRightString(A4[0] - _MARGIN, 9 * mm, printable(said))

    document.build(story, onFirstPage=number, onLaterPages=number)
    return file.getvalue(), document.page


class _Drawing:
    def __init__(self, data: ReportData, words: Words) -> None:
        self._data, self._words, self._language = data, words, words.language

    def header(self, now: datetime) -> list[Flowable]:
        words, data, choice = self._words, self._data, self._data.choice
        until = choice.period.until or now
        rows = [
            (words("report.station"), data.station or "–"),
            (words("report.role"), choice.role_id or words("report.all")),
            (words("report.roi"), choice.roi_id or words("report.all")),
            (words("report.period"), f"{self._time(choice.period.since_utc)} – {self._time(until.isoformat())}"),
            (words("report.version"), f"{data.version} · {data.device}"),
            (words("report.made"), self._time(now.isoformat())),
        ]
        table = Table([[_p(name, _HEAD), _p(value)] for name, value in rows], colWidths=[38 * mm, None])
        return [_p(words("report.title"), _TITLE), table]

    def counts(self) -> list[Flowable]:
        words, data = self._words, self._data
        story: list[Flowable] = [_p(words("report.counts"), _SECTION)]
        if data.frames:
            story.append(_p(parts(words, data.frames)))
        if not data.rois:
            return [*story, _p(words("report.nothing"))]
        return [*story, self._table(COUNTS, (counts(roi.summary, self._language) for roi in data.rois))]

    def proved(self) -> list[Flowable]:
        """Version and threshold of each ROI, and the rates that its calibration has shown."""
        words = self._words
        names = ("roi", "version", "threshold", "false_rejects", "misses", "samples")
        if not self._data.rois:
            return []
        widths = [32 * mm, 27 * mm, 18 * mm, 38 * mm, 38 * mm, 25 * mm]
        table = self._table(names, map(self._proof, self._data.rois), widths)
        return [_p(words("report.proved"), _SECTION), _p(words("report.proved_explain")), table]

    def _proof(self, roi: RoiReport) -> list[str]:
        known = roi.calibration or {}
        samples = f"{known.get('n_ok', '–')} OK · {known.get('n_ng', '–')} NG"
        version, threshold = self._version(roi), formats.number(known.get("threshold"), self._language)
        rates = [self._rate(known.get(f"{name}_rate"), known.get(f"{name}_ci95")) for name in ("false_reject", "miss")]
        return [name_of(roi.summary), version, threshold, *rates, samples]

    def _version(self, roi: RoiReport) -> str:
        """With what keeps its rates from being relied on, and who answers for it all the same."""
        known, marks = roi.calibration or {}, []
        if known.get("provisional"):
            accepted = known.get("accepted")
            marks.append(
                self._words("report.accepted", by=accepted["by"]) if accepted else self._words("report.provisional")
            )
        if roi.old_calibration:
            marks.append(self._words("report.old_way"))
        return " · ".join([str(roi.model_version or "–"), *marks])

    def _rate(self, rate: float | None, interval: Sequence[float] | None) -> str:
        if rate is None:
            return self._words("report.not_measured")
        said = formats.percent(rate, self._language)
        if not interval:
            return said
        low, high = (formats.percent(bound, self._language) for bound in interval)
        return f"{said} ({low} – {high})"

    def drift(self) -> list[Flowable]:
        warned = [roi.summary for roi in self._data.rois if roi.summary.drift and roi.summary.drift.warning]
        if not warned:
            return []
        story: list[Flowable] = [_p(self._words("report.drift"), _SECTION)]
        for one in warned:
            ratio = formats.number(one.drift.ratio if one.drift else None, self._language)
            story.append(_p(self._words("report.drift_roi", roi=name_of(one), ratio=ratio), _WARNING))
        return story

    def pareto(self) -> list[Flowable]:
        bars = pareto(roi.summary for roi in self._data.rois)
        if not bars:
            return []
        drawn = pareto_drawing(bars, self._language)
        return [KeepTogether([_p(self._words("report.pareto"), _SECTION), drawn])]

    def trend(self) -> list[Flowable]:
        thresholds = {name_of(roi.summary): roi.summary.threshold for roi in self._data.rois}
        story: list[Flowable] = []
        for name, points in series(self._data.trend).items():
            drawn = trend_drawing(points, thresholds.get(name), self._language)
            story.append(KeepTogether([_p(name, _HEAD), drawn]))
        if not story:
            return []
        title = [_p(self._words("report.trend"), _SECTION), _p(self._words("report.trend_explain"))]
        # the first chart with its title: a title at the foot of a page would stand alone
        return [KeepTogether([*title, story[0]]), *story[1:]]

    def worst(self) -> list[Flowable]:
        words, data = self._words, self._data
        n_ng = sum(roi.summary.n_ng for roi in data.rois)
        title = _p(words("report.ng_parts"), _SECTION)
        if not data.worst:
            return [title, _p(words("report.no_ng"))]
        left_out = max(0, n_ng - len(data.worst))
        note = [_p(words("report.ng_more", n=left_out), _WARNING)] if left_out else []
        names = ("picture", "part", "time", "roi", "score", "version")
        rows = [self._ng(one) for one in data.worst]
        widths = [20 * mm, 34 * mm, 36 * mm, 40 * mm, 30 * mm, 18 * mm]
        return [title, *note, self._table(names, rows, widths)]

    def _ng(self, one: InspectionSummary) -> list[Any]:
        score = f"{formats.number(one.score, self._language)} / {formats.number(one.threshold, self._language)}"
        drawn = _thumbnail(self._data.thumbnails.get(one.inspection_id))
        name = f"{one.role_id} / {one.roi_id}"
        return [drawn, one.part_id or "–", self._time(one.time_utc), name, score, str(one.model_version)]

    def _table(self, columns: Sequence[str], rows: Any, widths: Sequence[float] | None = None) -> Table:
        names = [self._words(f"report.col_{name}") for name in columns]
        body = [[cell if isinstance(cell, Flowable) else _p(cell) for cell in row] for row in rows]
        return Table([[_p(name, _HEAD) for name in names], *body], widths, repeatRows=1, style=_GRID, hAlign="LEFT")

    def _time(self, time_utc: str) -> str:
        return formats.date_and_time(time_utc, self._language)


def _p(text: str, style: ParagraphStyle = _BODY) -> Paragraph:
    return Paragraph(escape(printable(text)), style)


def _thumbnail(data: bytes | None) -> Flowable:
    """A picture that cannot be read leaves its place empty, and the report is still made."""
    if not data:
        return Spacer(_THUMB, 4)
    try:
        with Picture.open(io.BytesIO(data)) as picture:
            picture.load()
            width, height = picture.size
    except (UnidentifiedImageError, OSError):
        return Spacer(_THUMB, 4)
    scale = _THUMB / max(width, height)
    return Image(io.BytesIO(data), width * scale, height * scale)
