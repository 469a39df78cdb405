"""A picture with what was found in it, as one drawing; and the table of what is written about it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from html import escape

from nicegui import ui
from PIL import Image, UnidentifiedImageError

from gui.shell import Page

Sized = tuple[int, int]


def size_of(data: bytes | None) -> Sized | None:
    """Width and height; None for no picture, and for one that cannot be read."""
    try:
        with Image.open(io.BytesIO(data or b"")) as found:
            return found.size
    except (UnidentifiedImageError, OSError):
        return None


def picture(
    size: Sized | None, url: str, layer_url: str, contours: Iterable[Sequence[Sequence[float]]], outline: str, alt: str
) -> str:
    """`layer_url` lies over the picture; `outline` is the SVG path of what was inspected."""
    width, height = size or (1, 1)
    whole = f'width="{width}" height="{height}" preserveAspectRatio="none"'
    parts = [f'<image href="{escape(url)}" {whole}/>']
    parts += [f'<image href="{escape(layer_url)}" {whole}/>'] if layer_url else []
    parts += [line(outline, "#4fc3ff")] if outline else []
    parts += [line(_path(contour), "#ffd54a") for contour in contours if contour]
    return svg(width, height, "".join(parts), alt)


def svg(width: int, height: int, inside: str, alt: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(alt)}" '
        f'style="display:block;width:100%;height:100%">{inside}</svg>'
    )


def line(path: str, colour: str) -> str:
    """A dark and a light line: one of them shows on any picture."""
    common = f'd="{path}" fill="none" vector-effect="non-scaling-stroke"'
    return f'<path {common} stroke="#000" stroke-width="4"/><path {common} stroke="{colour}" stroke-width="2"/>'


def facts(here: Page, rows: Iterable[tuple[str, str]]) -> None:
    body = "".join(
        f"<tr><td class=muted>{escape(here.words(f'history.fact_{name}'))}</td><td>{escape(value)}</td></tr>"
        for name, value in rows
    )
    ui.html(f"<table class=hsheet>{body}</table>", sanitize=False).classes("w-full").props("data-testid=facts")


def _path(points: Sequence[Sequence[float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) + "Z"
