"""The drawn icon: its states are told apart by colour, and without it, in every size Windows asks for."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from PIL import Image, ImageChops, ImageStat

from tray.icon.drawing import icon_image
from tray.icon.menu import Colour

SIZES = (16, 20, 24, 32, 48, 64)
PAIRS = list(combinations(Colour, 2))


def on_taskbar(colour: Colour, size: int, bar: str = "#202020") -> Image.Image:
    background = Image.new("RGBA", (size, size), bar)
    background.alpha_composite(icon_image(colour, size))
    return background.convert("RGB")


def rim_colour(colour: Colour, size: int) -> tuple[int, int, int]:
    """Left of the sign, inside the disc."""
    red, green, blue = on_taskbar(colour, size).getpixel((round(size * 0.16), size // 2))  # type: ignore[misc]
    return red, green, blue


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean over the pixels, 0..255."""
    return float(ImageStat.Stat(ImageChops.difference(one, other).convert("L")).mean[0])


def sign(colour: Colour, size: int) -> Image.Image:
    """As somebody sees it who sees no colours: where is it white?"""
    return on_taskbar(colour, size).convert("L").point(lambda grey: 255 if grey > 175 else 0)


@pytest.mark.parametrize(("size", "pair"), list(product(SIZES, PAIRS)))
def test_two_states_differ_in_colour(size: int, pair: tuple[Colour, Colour]) -> None:
    one, other = (rim_colour(colour, size) for colour in pair)
    assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 90


@pytest.mark.parametrize(("size", "pair"), list(product(SIZES, PAIRS)))
def test_two_states_differ_in_shape_alone(size: int, pair: tuple[Colour, Colour]) -> None:
    one, other = (sign(colour, size) for colour in pair)
    assert difference(one, other) > 255 * 0.05  # one pixel in twenty is another


@pytest.mark.parametrize(("size", "colour"), list(product(SIZES, Colour)))
def test_the_sign_is_crisp(size: int, colour: Colour) -> None:
    """White somewhere, the fill right beside it: not a blur of both."""
    image = on_taskbar(colour, size).crop((size // 4, size // 4, size - size // 4, size - size // 4)).convert("L")
    darkest, lightest = image.getextrema()
    assert lightest >= 235  # type: ignore[operator]
    assert darkest <= 130  # type: ignore[operator]


@pytest.mark.parametrize("bar", ["#f3f3f3", "#202020"])
@pytest.mark.parametrize("colour", list(Colour))
def test_it_stands_out_from_a_light_and_a_dark_task_bar(colour: Colour, bar: str) -> None:
    empty = Image.new("RGB", (16, 16), bar)
    assert difference(on_taskbar(colour, 16, bar), empty) > 40


@pytest.mark.parametrize("size", SIZES)
def test_outside_the_disc_it_is_transparent(size: int) -> None:
    assert icon_image(Colour.GREEN, size).getchannel("A").getpixel((0, 0)) == 0
