"""Draws the icon: a brake disc whose colour and sign say the state; the sign alone is enough."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from tray.icon.menu import Colour

SIZE = 64  # pystray hands it to Windows as an .ico with every smaller size
_OVERSAMPLING = 8  # drawn larger, then reduced: smooth edges, which ImageDraw alone does not make
# Okabe and Ito's palette for colour-blind people, darkened until white signs stand out from it (contrast over 3:1)
FILL = {Colour.GREEN: "#12813f", Colour.AMBER: "#c46a00", Colour.RED: "#c4161c", Colour.GREY: "#6b7280"}
_Line = tuple[tuple[float, float], ...]
# Strokes in a square of side 1: check mark, hourglass, cross, two bars.
_STROKES: dict[Colour, tuple[_Line, ...]] = {
    Colour.GREEN: (((0.28, 0.52), (0.44, 0.68), (0.73, 0.34)),),
    Colour.AMBER: (),
    Colour.RED: (((0.32, 0.32), (0.68, 0.68)), ((0.68, 0.32), (0.32, 0.68))),
    Colour.GREY: (((0.39, 0.32), (0.39, 0.68)), ((0.61, 0.32), (0.61, 0.68))),
}
_HOURGLASS: _Line = ((0.29, 0.26), (0.71, 0.26), (0.54, 0.50), (0.71, 0.74), (0.29, 0.74), (0.46, 0.50))
_STROKE = 0.13


@lru_cache(maxsize=16)
def icon_image(colour: Colour, size: int = SIZE) -> Image.Image:
    """RGBA, size × size, transparent outside the disc. Do not change it: it is shared."""
    side = size * _OVERSAMPLING
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    # a white rim: the disc stands out from a dark task bar as from a light one
    draw.ellipse((0, 0, side - 1, side - 1), fill="white")
    rim = side * 0.05
    draw.ellipse((rim, rim, side - 1 - rim, side - 1 - rim), fill=FILL[colour])
    if colour is Colour.AMBER:
        draw.polygon([(x * side, y * side) for x, y in _HOURGLASS], fill="white")
    for line in _STROKES[colour]:
        _stroke(draw, [(x * side, y * side) for x, y in line], side * _STROKE)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _stroke(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], width: float) -> None:
    draw.line(points, fill="white", width=round(width))
    for x, y in points:  # round ends and corners
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill="white")
