"""Small pictures with their shape drawn over them, as SVG: sharp at any size, and no picture is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

# The shade over what is not inspected, and the outline's two lines: one of them shows on any picture.
_SHADE, _DARK, _LIGHT = "rgba(0,0,0,.45)", "#000", "#ffd54a"


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
    """The picture at `url` of that size, or the `view` of it, with shape, boxes and contours over it."""
    seen = view or Box(0, 0, width, height)
    outline = shape_path(shape)
    parts = [f'<image href="{escape(url)}" width="{width}" height="{height}" preserveAspectRatio="none"/>']
    if outline:
        whole = f"M0 0H{width}V{height}H0Z"
        parts.append(f'<path d="{whole}{outline}" fill="{_SHADE}" fill-rule="evenodd"/>')
    parts += [_lines(path) for path in (outline, *map(_box_path, boxes), *map(_polygon_path, contours)) if path]
    return (
        f'<svg viewBox="{_n(seen.x)} {_n(seen.y)} {_n(seen.w)} {_n(seen.h)}" role="img" aria-label="{escape(alt)}" '
        f'style="display:block;width:100%;height:100%">{"".join(parts)}</svg>'
    )


def shape_path(shape: Mapping[str, Any] | None) -> str:
    """SVG path of a shape in contract form; of both edges of a ring. Empty for the whole picture."""
    if shape is None:
        return ""
    if shape["kind"] == "rect":
        return _box_path(Box(shape["x"], shape["y"], shape["w"], shape["h"]))
    path = _circle_path(shape["cx"], shape["cy"], shape["r"])
    return path + (_circle_path(shape["cx"], shape["cy"], shape["r_inner"]) if shape.get("r_inner") else "")


def _lines(path: str) -> str:
    common = f'd="{path}" fill="none" vector-effect="non-scaling-stroke"'
    return f'<path {common} stroke="{_DARK}" stroke-width="3.5"/><path {common} stroke="{_LIGHT}" stroke-width="1.5"/>'


def _box_path(box: Box) -> str:
    return f"M{_n(box.x)} {_n(box.y)}h{_n(box.w)}v{_n(box.h)}h{_n(-box.w)}Z"


def _circle_path(cx: float, cy: float, r: float) -> str:
    arc = f"a{_n(r)} {_n(r)} 0 1 0"
    return f"M{_n(cx - r)} {_n(cy)}{arc} {_n(2 * r)} 0{arc} {_n(-2 * r)} 0Z"


def _polygon_path(points: Sequence[Sequence[float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + "Z" if points else ""


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
