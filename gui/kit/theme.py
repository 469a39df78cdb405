"""How the screens look: colours with contrast AA in light and dark, sizes for gloves, one style sheet."""

from __future__ import annotations

from nicegui import ui

# On white and on #121b24, each against its own text, measured by WCAG 2.2: at least 4.5:1.
OK_COLOUR, NG_COLOUR, ERROR_COLOUR = "#11703c", "#b3141f", "#7a4d00"
COLOURS = {
    "primary": "#0b5394",
    "secondary": "#37506b",
    "accent": "#6a3fa0",
    "positive": OK_COLOUR,
    "negative": NG_COLOUR,
    "warning": "#8a5300",
    "info": "#0b5394",
    "dark": "#1b2733",
    "dark_page": "#121b24",
}

CSS = """
:root { --ok: #11703c; --ng: #b3141f; --error: #7a4d00; --line: #c4ccd4; --card: #ffffff; --page: #f1f4f7;
        --text: #15202b; --muted: #4a5967; }
.body--dark { --line: #3a4a5a; --card: #1b2733; --page: #121b24; --text: #eef3f7; --muted: #b4c1cd; }
body { background: var(--page); color: var(--text); }
.q-btn { min-height: 44px; }
.q-header .q-btn, .q-footer .q-btn { min-height: 40px; }
.muted { color: var(--muted); }
/* Quasar's own rule is important and in an earlier layer, which wins over any here: what it reads is changed instead */
.body--dark .text-primary { --q-primary: #8fc4f3; }
.body--dark .text-negative { --q-negative: #ff8a90; }
.body--dark .text-positive { --q-positive: #6fd39b; }
.body--dark .text-warning { --q-warning: #ffc266; }
.body--dark .text-info { --q-info: #8fc4f3; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; }
.page { padding: 16px; width: 100%; max-width: 2400px; margin: 0 auto; }
.statusbar { font-size: 14px; gap: 18px; white-space: nowrap; overflow: hidden; }
.statusbar .item { overflow: hidden; text-overflow: ellipsis; }
.state-dot { width: 14px; height: 14px; border-radius: 50%; display: inline-block; }
.q-notification { pointer-events: none; }
.q-notification .q-btn { pointer-events: auto; }
.number { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 3px solid #f5a800; outline-offset: 2px; }
"""


def apply(*, dark: bool) -> None:
    """Once for each page."""
    ui.colors(**COLOURS)
    ui.dark_mode(dark)
    ui.add_css(CSS)
