"""What the Inspect screen draws of a part: the verdict, the picture with what was found, why, and the last parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from gui.kit import formats
from gui.kit.words import Words
from gui.line.part import Part, Past, State
from service.contract.frames import FrameRoi

# Colour, shape and word say the same: one of them is enough.
SHAPES = {
    State.OK: '<path d="M14 54 40 80 88 22" fill="none" stroke="currentColor" stroke-width="16"/>',
    State.NG: '<path d="M18 18 82 82M82 18 18 82" fill="none" stroke="currentColor" stroke-width="16"/>',
    State.ERROR: '<path d="M50 8 96 90H4Z" fill="none" stroke="currentColor" stroke-width="9" stroke-linejoin="round"/>'
    '<path d="M50 36V62M50 70V80" stroke="currentColor" stroke-width="10"/>',
    State.BUSY: '<circle cx="50" cy="50" r="36" fill="none" stroke="currentColor" stroke-width="10"'
    ' stroke-dasharray="170 60"/>',
    State.WAITING: '<circle cx="50" cy="50" r="36" fill="none" stroke="currentColor" stroke-width="8"/>',
}
_COLOURS = {"OK": "#53d98b", "NG": "#ff5d68"}


def verdict(words: Words, part: Part) -> str:
    word = words(f"inspect.state_{part.state.lower()}")
    took_ms = part.answer.timings_ms.get("total", 0.0) if part.answer else 0.0
    return (
        f'<div class="verdict v-{part.state}"><svg viewBox="0 0 100 100" aria-hidden="true">{SHAPES[part.state]}</svg>'
        f'<span data-testid="word" data-number="{part.number}" data-ms="{took_ms:g}">{escape(word)}</span></div>'
    )


def picture(words: Words, part: Part) -> str:
    """As SVG, in pixels of the picture; nothing before there is one."""
    if not part.picture_url:
        return ""
    width, height = part.size
    whole = f'width="{width}" height="{height}" preserveAspectRatio="none"'
    drawn = f'<image href="{part.picture_url}" {whole}/>'
    if part.heat_url:
        drawn += f'<image class="heat" data-testid="heat-layer" href="{part.heat_url}" {whole}/>'
    for roi in part.answer.rois if part.answer else ():
        drawn += _roi(roi)
    alt = escape(words("inspect.picture"))
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{alt}" data-testid="drawing">{drawn}</svg>'


def why(words: Words, part: Part) -> str:
    """The regions by size of their score over the threshold; of an error, what to do."""
    if part.state == State.ERROR:
        sentence = escape(words.problem(part.code, part.detail))
        return f'<p class="what-to-do" data-testid="problem">{sentence}</p>{_caption(part.detail)}'
    if part.answer is None:
        return ""
    rois = sorted(part.answer.rois, key=lambda roi: -roi.score / roi.threshold)
    return "".join(_why_roi(words, roi) for roi in rois)


def strip(words: Words, past: Iterable[Past]) -> str:
    return "".join(_past(words, part) for part in past)


def _roi(roi: FrameRoi) -> str:
    colour = _COLOURS[roi.verdict]
    drawn = _line(_path(roi.outline) + (_path(roi.inner_outline) if roi.inner_outline else ""), colour, 2)
    for region in roi.regions if roi.verdict == "NG" else ():
        drawn += f'<g data-testid="defect">{_line(_path(region.contour_frame), "#ffd54a", 3)}</g>'
    return f"<g>{drawn}</g>"


def _line(path: str, colour: str, width: int) -> str:
    """A dark and a light line: one of them shows on any picture."""
    common = f'd="{path}" fill="none" vector-effect="non-scaling-stroke"'
    strokes = (("#000", width + 2), (colour, width))
    return "".join(f'<path {common} stroke="{ink}" stroke-width="{thick}"/>' for ink, thick in strokes)


def _path(points: Sequence[Sequence[float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z" if points else ""


def _why_roi(words: Words, roi: FrameRoi) -> str:
    language = words.language
    scores = words(
        "inspect.score_against",
        score=formats.number(roi.score, language, 3),
        threshold=formats.number(roi.threshold, language, 3),
    )
    filled = min(100.0, 100 * roi.score / roi.threshold / 2)
    meter = f'<i class="v-{roi.verdict}" style="width:{filled:.0f}%"></i><s></s>'
    rows = "".join(
        f'<tr data-testid="region"><td>{number}</td><td>{formats.area(region.area_mm2, language)}</td>'
        f"<td>{formats.number(region.score, language, 3)}</td></tr>"
        for number, region in enumerate(roi.regions, 1)
        if roi.verdict == "NG"
    )
    head = "".join(f"<th>{escape(words(f'inspect.{name}'))}</th>" for name in ("defect", "area", "score"))
    table = f"<table><tr>{head}</tr>{rows}</table>" if rows else ""
    return (
        f'<div class="why"><div class="why-head"><b class="tag v-{roi.verdict}">{roi.verdict}</b>'
        f"<b>{escape(roi.roi_id)}</b></div>"
        f'<div class="meter" aria-hidden="true">{meter}</div>'
        f'<div class="number">{escape(scores)}</div>{table}</div>'
    )


def _caption(detail: str) -> str:
    return f'<p class="muted">{escape(detail)}</p>' if detail else ""


def _past(words: Words, part: Past) -> str:
    image = f'<img src="{part.thumbnail}" alt="">' if part.thumbnail else '<span class="no-thumbnail">–</span>'
    word = escape(words(f"inspect.state_{part.state.lower()}"))
    label = escape(part.part_id or formats.time_of_day(part.time_utc))
    inside = f'{image}<b class="v-{part.state}">{word}</b><span>{label}</span>'
    if part.frame_id:
        return f'<a class="past" data-testid="past" href="/history/{escape(part.frame_id)}">{inside}</a>'
    return f'<div class="past" data-testid="past">{inside}</div>'
