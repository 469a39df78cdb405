"""The look of the screens: colours with contrast AA in light and dark, one style sheet for all and one a screen."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

STYLES = Path(__file__).parents[1] / "static"
# On white and on #121b24, each against its own text, measured by WCAG 2.2: at least 4.5:1.
COLOURS = {
    "primary": "#0b5394",
    "secondary": "#37506b",
    "accent": "#6a3fa0",
    "positive": "#11703c",
    "negative": "#b3141f",
    "warning": "#8a5300",
    "info": "#0b5394",
    "dark": "#1b2733",
    "dark_page": "#121b24",
}


def apply(screen: str, *, dark: bool) -> None:
    """To be called once for each page."""
    ui.colors(**COLOURS)
    ui.dark_mode(dark)
    for name in ("theme", screen):
        if (path := STYLES / f"{name}.css").is_file():
            ui.add_css(path)
