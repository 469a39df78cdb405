"""Outlines drawn over a picture, as SVG: sharp at any zoom, and the picture itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

YELLOW, BLUE = "#ffd54a", "#4fc3ff"
VERDICTS = {"OK": "#53d98b", "NG": "#ff5d68"}
_SHADE = "rgba(0,0,0,.45)"  # over what is not inspected

Size = tuple[int, int]  # width and height of a picture, in pixels


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture."""

    x: float
    y: float
    w: float
    h: float

    def around(self, factor: float, least: float, width: float, height: float) -> Box:
        """A square `factor` times as large about the same centre, moved into the picture."""
        side = min(max(factor * max(self.w, self.h), least), width, height)
        x, y = self.x + self.w / 2 - side / 2, self.y + self.h / 2 - side / 2
        return Box(min(max(x, 0.0), width - side), min(max(y, 0.0), height - side), side, side)


def picture_svg(
    url: str, width: int, height: int, *, shape: Mapping[str, Any] | None = None, view: Box | None = None,
    boxes: Sequence[Box] = (), contours: Sequence[Sequence[Sequence[float]]] = (), alt: str = "",
) -> str:  # fmt: skip
    """The picture at `url`, or the part `view` of it, with shape, boxes and contours drawn over it."""
    size, outline = (width, height), shape_path(shape)
    shade = f"M0 0H{width}V{height}H0Z{outline}"
    parts = [image(url, size)]
    parts += [f'<path d="{shade}" fill="{_SHADE}" fill-rule="evenodd"/>'] if outline else []
    parts += [line(path, width=1.5) for path in (outline, *map(_box_path, boxes), *map(polygon, contours)) if path]
    return svg(size, "".join(parts), alt, view=view)


def svg(size: Size, inside: str, alt: str, *, view: Box | None = None, testid: str = "") -> str:
    """A drawing in pixels of the picture that fills the element around it."""
    seen = view or Box(0, 0, *size)
    named = f'data-testid="{testid}" ' if testid else ""
    return (
        f'<svg viewBox="{_n(seen.x)} {_n(seen.y)} {_n(seen.w)} {_n(seen.h)}" role="img" aria-label="{escape(alt)}" '
        f'{named}style="display:block;width:100%;height:100%">{inside}</svg>'
    )


def image(url: str, size: Size, more: str = "") -> str:
    return f'<image href="{escape(url)}" width="{size[0]}" height="{size[1]}" preserveAspectRatio="none"{more}/>'


def line(path: str, colour: str = YELLOW, width: float = 2) -> str:
    """A dark line below a light one, because one of the two shows on any picture."""
    common = f'd="{path}" fill="none" vector-effect="non-scaling-stroke"'
    strokes = (("#000", width + 2), (colour, width))
    return "".join(f'<path {common} stroke="{ink}" stroke-width="{thick:g}"/>' for ink, thick in strokes)


def shape_path(shape: Mapping[str, Any] | None) -> str:
    """SVG path of a shape in contract form; of both edges of a ring. Empty for the whole picture."""
    if shape is None:
        return ""
    if shape["kind"] == "rect":
        return _box_path(Box(shape["x"], shape["y"], shape["w"], shape["h"]))
    path = _circle_path(shape["cx"], shape["cy"], shape["r"])
    return path + (_circle_path(shape["cx"], shape["cy"], shape["r_inner"]) if shape.get("r_inner") else "")


def polygon(points: Sequence[Sequence[float]]) -> str:
    """SVG path of a closed line; empty without points."""
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + "Z" if points else ""


def _box_path(box: Box) -> str:
    return f"M{_n(box.x)} {_n(box.y)}h{_n(box.w)}v{_n(box.h)}h{_n(-box.w)}Z"


def _circle_path(cx: float, cy: float, r: float) -> str:
    # two half circles: an SVG arc cannot end where it begins
    arc = f"a{_n(r)} {_n(r)} 0 1 0"
    return f"M{_n(cx - r)} {_n(cy)}{arc} {_n(2 * r)} 0{arc} {_n(-2 * r)} 0Z"


def _n(value: float) -> str:
    # 1/100 px is finer than any screen shows, and keeps a long contour short
    return f"{value:.2f}".rstrip("0").rstrip(".")
