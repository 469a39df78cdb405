"""Buttons, fields, messages, tiles and dialogs of all screens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, ParamSpec

from nicegui import ui

Kind = Literal["positive", "negative", "warning", "ongoing"]
Do = Callable[..., Any]
P = ParamSpec("P")


def button(text: str, do: Do, testid: str = "", look: str = "", icon: str | None = None) -> ui.button:
    """`look`: properties of Quasar's button, such as "flat no-caps"."""
    made = ui.button(text, icon=icon, on_click=do)
    return made.props(f"{look} data-testid={testid}" if testid else look)


def link(text: str, path: str, testid: str = "", look: str = "", icon: str | None = None) -> ui.button:
    """A button that opens another page."""
    return button(text, lambda: ui.navigate.to(path), testid, look, icon)


@contextmanager
def busy(made: ui.button) -> Iterator[None]:
    """While its work runs, the button turns, and cannot be pressed again."""
    made.props("loading").disable()
    try:
        yield
    finally:
        made.props(remove="loading").enable()


async def done(waiting: Awaitable[object] | None) -> None:
    """Wait for a handler, which may be a plain function or a coroutine function."""
    if waiting is not None:
        await waiting


def select(
    label: str, options: Sequence[Any] | Mapping[Any, str], value: Any, testid: str, width_px: int = 150,
    on_change: Do | None = None,
) -> ui.select:  # fmt: skip
    given = dict(options) if isinstance(options, Mapping) else list(options)
    made = ui.select(given, value=value, label=label, on_change=on_change)
    return made.props(f"outlined dense data-testid={testid}").style(f"min-width: {width_px}px")


def notify(text: str, kind: Kind, **options: Any) -> None:
    """A message that disappears after a while, in the corner where it covers least."""
    ui.notify(text, type=kind, position="bottom-left", **options)


def empty(
    icon: str, text: str, button_text: str = "", go: str | Do = "", *, explain: str = "", testid: str = "",
    look: str = "card q-pa-xl",
) -> None:  # fmt: skip
    """A screen without content: the next step, and a button for it. `go`: a page, or a function."""
    with ui.column().classes(f"w-full items-center gap-3 {look}"):
        ui.icon(icon, size="56px").classes("muted")
        ui.label(text).classes("text-h6 text-center")
        if explain:
            ui.label(explain).classes("muted text-center")
        if button_text:
            button(button_text, go if callable(go) else lambda: ui.navigate.to(go), testid)


@contextmanager
def tile(picture: str, testid: str = "", *, button: bool = False, missing: str = "") -> Iterator[ui.element]:
    """A picture with captions in a grid of `tiles`; a button can be selected. `missing`: said without a picture."""
    with ui.element("button" if button else "div").classes("tile") as made:
        if button:
            made.props("type=button")
        else:
            made.style("cursor: default")
        if testid:
            made.props(f"data-testid={testid}")
        with ui.element("div").classes("thumb"):
            if picture:
                ui.html(picture, sanitize=False).classes("w-full h-full")
            elif missing:
                ui.label(missing).classes("q-pa-md muted")
            else:
                ui.icon("hide_image", size="40px").classes("muted q-ma-md")
        if button:
            ui.icon("check", size="22px").classes("chosen")
        yield made


class Chosen(set[str]):
    """Names of the tiles that a person has selected; `changed` is called after each press."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    @contextmanager
    def tile(self, name: str, picture: str, testid: str) -> Iterator[ui.element]:
        with tile(picture, testid, button=True) as made:
            press(made, name in self)
            made.on("click", lambda: self._toggle(name, made))
            yield made

    def _toggle(self, name: str, made: ui.element) -> None:
        self.symmetric_difference_update({name})
        press(made, name in self)
        self._changed()


def press(made: ui.element, pressed: bool) -> None:
    """Show a button as pressed: to the eye by the class `used`, and to a screen reader."""
    made.classes(add="used" if pressed else None, remove=None if pressed else "used")
    made.props(f"aria-pressed={str(pressed).lower()}")


def thumbnail(url: str) -> str:
    """A picture as it is, within the square of a tile."""
    return f'<img src="{url}" alt="" style="display:block;width:100%;height:100%;object-fit:contain">'


@contextmanager
def anew(box: ui.element) -> Iterator[None]:
    """Draw into `box` in place of what it shows."""
    box.clear()
    with box:
        yield


def redrawn(box: ui.element, draw: Callable[P, object]) -> Callable[P, None]:
    """`draw`, into `box`, and only when its values have changed: otherwise nothing is sent to the browser."""
    shown: list[object] = []

    def show(*values: P.args, **more: P.kwargs) -> None:
        if [values, more] != shown:
            shown[:] = [values, more]
            with anew(box):
                draw(*values, **more)

    return show


def progress_bar() -> ui.element:
    """Hidden until work begins; `props("value=0.5")` moves it."""
    bar = ui.element("q-linear-progress").props("size=14px rounded value=0 aria-label=progress")
    bar.visible = False
    return bar


@contextmanager
def card_dialog(style: str = "", *, persistent: bool = True) -> Iterator[ui.dialog]:
    """A dialog with one card, opened by `await answer(dialog)`. `persistent`: only a button closes it."""
    with ui.dialog().props("persistent" if persistent else "") as dialog, ui.card().classes("gap-4").style(style):
        yield dialog


async def answer(dialog: ui.dialog) -> Any:
    """Open the dialog and wait: the value that it was submitted with, None when it was closed."""
    said = await dialog
    dialog.delete()  # a dialog that is closed would stay in the page, hidden
    return said
