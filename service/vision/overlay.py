"""Draws a result for people: the picture with heat map and regions, and the verdict above it."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

BAR_COLOURS: dict[str | None, Colour] = {"OK": (22, 128, 61), "NG": (192, 28, 28), None: (90, 96, 104)}
REGION_COLOUR: Colour = (0, 229, 255)  # cyan: on no iron, and the opposite of the red heat below it
SHAPE_COLOUR: Colour = (150, 190, 255)
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

# The heat map's scale is fixed: 128 = threshold, 255 = twice the threshold. Below half the threshold nothing is drawn.
HEAT_FROM, HEAT_FULL, HEAT_OPACITY = 80, 160, 0.6

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    image_rgb: Image,
    heatmap: Image | None,
    regions: Sequence[Mapping[str, Any]],
    *,
    verdict: str | None,
    score: float,
    threshold: float | None,
    title: str = "",
    shape: Mapping[str, Any] | None = None,
) -> Image:
    """The picture with heat, regions and ROI `shape` on it and a bar with the verdict on top.

    `image_rgb` (h, w, 3) uint8 RGB, unchanged; `heatmap` (h, w) uint8, 128 = threshold; `regions` and `shape` as in
    the contract, in pixels of the picture. Returns (bar + h, w, 3) uint8 RGB; `bar_height(w)` is the bar's height.
    """
    pen = _pen_for(*image_rgb.shape[:2])
    picture = image_rgb.copy() if heatmap is None else _with_heat(image_rgb, heatmap)
    if shape is not None:
        _draw_shape(picture, shape, pen)
    for region in regions:
        _draw_contour(picture, region, pen)
    for region in reversed(regions):  # after all the contours, so that none crosses a label; the largest on top
        _draw_label(picture, region, pen)
    return np.vstack((_bar(image_rgb.shape[1], verdict, score, threshold, title), picture))


def bar_height(width: int) -> int:
    """Height in px of the bar above a picture of `width` px."""
    return int(np.clip(width * 0.055, 14, 160))


def _with_heat(image_rgb: Image, heatmap: Image) -> Image:
    """Yellow from half the threshold, orange, red at twice the threshold; a calm part keeps its pixels exactly."""
    colours = cv2.cvtColor(cv2.applyColorMap(255 - heatmap, cv2.COLORMAP_AUTUMN), cv2.COLOR_BGR2RGB)
    rise = (np.arange(256, dtype=np.float32) - HEAT_FROM) / (HEAT_FULL - HEAT_FROM)
    opacity = (HEAT_OPACITY * np.clip(rise, 0, 1))[heatmap]
    return np.asarray(cv2.blendLinear(colours, image_rgb, opacity, 1 - opacity), np.uint8)


# --- on the picture -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pen:
    """Line width in px and text height (of a capital) in px, for a picture of this size."""

    line: int
    text: int


def _pen_for(height: int, width: int) -> _Pen:
    side = min(height, width)
    return _Pen(line=max(1, round(side / 400)), text=max(7, round(side / 55)))


def _draw_shape(picture: Image, shape: Mapping[str, Any], pen: _Pen) -> None:
    thickness = max(1, pen.line // 2)
    if shape["kind"] == "rect":
        corners = (shape["x"], shape["y"]), (shape["x"] + shape["w"] - 1, shape["y"] + shape["h"] - 1)
        cv2.rectangle(picture, _point(*corners[0]), _point(*corners[1]), SHAPE_COLOUR, thickness)
        return
    for radius in (shape["r"], shape.get("r_inner", 0)):
        if radius > 0:
            centre = _point(shape["cx"], shape["cy"])
            cv2.circle(picture, centre, round(radius), SHAPE_COLOUR, thickness, cv2.LINE_AA)


def _draw_contour(picture: Image, region: Mapping[str, Any], pen: _Pen) -> None:
    """The dark line below keeps the bright one visible on bright metal."""
    contour = np.rint(np.asarray(region["contour"], np.float64)).astype(np.int32).reshape(-1, 1, 2)
    if len(contour):
        cv2.polylines(picture, [contour], True, BLACK, pen.line + 2, cv2.LINE_AA)
        cv2.polylines(picture, [contour], True, REGION_COLOUR, pen.line, cv2.LINE_AA)


def _draw_label(picture: Image, region: Mapping[str, Any], pen: _Pen) -> None:
    """The area on a dark plate above the region's box, or below it. Tiny pictures go without: it would hide them."""
    text = f"{region['area_mm2']:.1f} mm2"
    pad = pen.line + 1
    width, height = _text_width(text, pen.text) + 2 * pad, pen.text + 2 * pad
    if 3 * width > picture.shape[1]:
        return
    x, y, _, h = (round(float(value)) for value in region["bbox"])
    left = min(max(x, 0), picture.shape[1] - width)
    gap = 2 * pen.line
    top = y - gap - height if y - gap - height >= 0 else min(y + h + gap, picture.shape[0] - height)
    plate = picture[top : top + height, left : left + width]
    plate //= 4
    _write(plate, text, pad, pad + pen.text, pen.text, REGION_COLOUR)


def _point(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


# --- the bar --------------------------------------------------------------------------------------------------------


def _bar(width: int, verdict: str | None, score: float, threshold: float | None, title: str) -> Image:
    """(bar_height, width, 3): the verdict large on the left, score / threshold, then the title as far as it fits."""
    height = bar_height(width)
    bar = np.full((height, width, 3), BAR_COLOURS[verdict], np.uint8)
    large, small = max(7, round(height * 0.5)), max(7, round(height * 0.34))
    margin = max(2, height // 4)
    limit = "no threshold" if threshold is None else f"{threshold:.4g}"
    x = margin
    for text, size in ((verdict or "--", large), (f"{score:.4g} / {limit}", small)):
        if x + _text_width(text, size) > width - margin // 2:
            return bar
        _write(bar, text, x, (height + size) // 2, size, WHITE)
        x += _text_width(text, size) + 2 * margin
    _write(bar, _shortened(_ascii(title), small, width - margin - x), x, (height + small) // 2, small, WHITE)
    return bar


def _shortened(text: str, size: int, room: int) -> str:
    if _text_width(text, size) <= room:
        return text
    while text and _text_width(text + "..", size) > room:
        text = text[:-1].rstrip()
    return text and text + ".."


def _ascii(text: str) -> str:
    """The nearest ASCII text (Hershey fonts know no more): accents go, what has no likeness is left out."""
    plain = text.translate({ord("ß"): "ss", ord("ø"): "o", ord("Ø"): "O", 0x2013: "-", 0x2014: "-"})  # and the dashes
    printable = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return " ".join(printable.split())


# --- text -----------------------------------------------------------------------------------------------------------


def _write(image: Image, text: str, x: int, baseline: int, size: int, colour: Colour) -> None:
    cv2.putText(image, text, (x, baseline), _FONT, _scale(size), colour, _stroke(size), cv2.LINE_AA)


def _text_width(text: str, size: int) -> int:
    return cv2.getTextSize(text, _FONT, _scale(size), _stroke(size))[0][0]


def _scale(size: int) -> float:
    """Hershey's capitals are 21 units high at scale 1."""
    return size / 21


def _stroke(size: int) -> int:
    return max(1, round(size / 10))
