"""Drawings of the Inspect screen: verdict, picture with defects, reasons, and the strip of the last parts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gui.kit import formats
from gui.kit.svg import VERDICTS, image, line, polygon, svg
from gui.kit.words import Words
from gui.line.part import Part, Past, State
from service.contract.frames import FrameRoi

_STROKE = 'fill="none" stroke="currentColor"'
# Colour, shape and word say the same, so that any one of them is enough.
SHAPES = {
    State.OK: f'<path d="M14 54 40 80 88 22" {_STROKE} stroke-width="16"/>',
    State.NG: f'<path d="M18 18 82 82M82 18 18 82" {_STROKE} stroke-width="16"/>',
    State.ERROR: f'<path d="M50 8 96 90H4Z" {_STROKE} stroke-width="9" stroke-linejoin="round"/>'
    '<path d="M50 36V62M50 70V80" stroke="currentColor" stroke-width="10"/>',
    State.BUSY: f'<circle cx="50" cy="50" r="36" {_STROKE} stroke-width="10" stroke-dasharray="170 60"/>',
    State.WAITING: f'<circle cx="50" cy="50" r="36" {_STROKE} stroke-width="8"/>',
}


def verdict(words: Words, part: Part) -> str:
    word = words(f"inspect.state_{part.state.lower()}")
    took_ms = part.answer.timings_ms.get("total", 0.0) if part.answer else 0.0
    return (
        f'<div class="verdict v-{part.state}"><svg viewBox="0 0 100 100" aria-hidden="true">{SHAPES[part.state]}</svg>'
        f'<span data-testid="word" data-number="{part.number}" data-ms="{took_ms:g}">{escape(word)}</span></div>'
        + (_provisional(words) if part.answer and part.answer.provisional else "")
    )


def _provisional(words: Words) -> str:
    """Beside the verdict, which it does not change: how far it can be relied on."""
    badge, sentence = escape(words("inspect.provisional")), escape(words("inspect.provisional_means"))
    return (
        '<div class="provisional v-provisional" data-testid="provisional">'
        f'<b><span aria-hidden="true">⚠</span> {badge}</b><span>{sentence}</span></div>'
    )


def picture(words: Words, part: Part) -> str:
    """SVG in pixels of the picture; empty before there is one."""
    if not part.picture_url:
        return ""
    drawn = image(part.picture_url, part.size)
    if part.heat_url:
        drawn += image(part.heat_url, part.size, ' class="heat" data-testid="heat-layer"')
    drawn += "".join(map(_roi, part.answer.rois if part.answer else ()))
    return svg(part.size, drawn, words("inspect.picture"), testid="drawing")


def why(words: Words, part: Part) -> str:
    """The ROIs, the worst first, by score over threshold; of an error, what to do."""
    if part.state == State.ERROR:
        sentence = escape(words.problem(part.code, part.detail))
        caption = f'<p class="muted">{escape(part.detail)}</p>' if part.detail else ""
        return f'<p class="what-to-do" data-testid="problem">{sentence}</p>{caption}'
    if part.answer is None:
        return ""
    rois = sorted(part.answer.rois, key=lambda roi: -roi.score / roi.threshold)
    return "".join(_why_roi(words, roi) for roi in rois)


def strip(words: Words, past: Iterable[Past]) -> str:
    return "".join(_past(words, part) for part in past)


def _roi(roi: FrameRoi) -> str:
    drawn = line(polygon(roi.outline) + polygon(roi.inner_outline or ()), VERDICTS[roi.verdict])
    for region in roi.regions if roi.verdict == "NG" else ():
        drawn += f'<g data-testid="defect">{line(polygon(region.contour_frame), width=3)}</g>'
    return f"<g>{drawn}</g>"


def _why_roi(words: Words, roi: FrameRoi) -> str:
    language = words.language
    score, threshold = (formats.number(value, language, 3) for value in (roi.score, roi.threshold))
    scores = words("inspect.score_against", score=score, threshold=threshold)
    # the threshold stands in the middle of the meter
    filled = min(100.0, 100 * roi.score / roi.threshold / 2)
    meter = f'<i class="v-{roi.verdict}" style="width:{filled:.0f}%"></i><s></s>'
    rows = "".join(
        f'<tr data-testid="region"><td>{number}</td><td>{formats.area(region.area_mm2, language)}</td>'
        f"<td>{formats.number(region.score, language, 3)}</td></tr>"
        for number, region in enumerate(roi.regions, 1)
        if roi.verdict == "NG"
    )
    head = "".join(f"<th>{escape(words(f'inspect.{name}'))}</th>" for name in ("defect", "area", "score"))
    few = f'<b class="tag provisional">{escape(words("inspect.provisional"))}</b>' if roi.provisional else ""
    table = f"<table><tr>{head}</tr>{rows}</table>" if rows else ""
    return (
        f'<div class="why"><div class="why-head"><b class="tag v-{roi.verdict}">{roi.verdict}</b>'
        f"<b>{escape(roi.roi_id)}</b>{few}</div>"
        f'<div class="meter" aria-hidden="true">{meter}</div>'
        f'<div class="number">{escape(scores)}</div>{table}</div>'
    )


def _past(words: Words, part: Past) -> str:
    picture = f'<img src="{part.thumbnail}" alt="">' if part.thumbnail else '<span class="no-thumbnail">–</span>'
    word = escape(words(f"inspect.state_{part.state.lower()}"))
    label = escape(part.part_id or formats.time_of_day(part.time_utc))
    inside = f'{picture}<b class="v-{part.state}">{word}</b><span>{label}</span>'
    if part.frame_id:
        return f'<a class="past" data-testid="past" href="/history/{escape(part.frame_id)}">{inside}</a>'
    return f'<div class="past" data-testid="past">{inside}</div>'
