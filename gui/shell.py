"""The frame around every screen: where one can go, language, light or dark, and the status bar that is always true."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from nicegui import ui

from gui.gui import Gui
from gui.kit import formats, theme
from gui.kit.words import LANGUAGES
from gui.service.client import ServiceError
from gui.service.link import Link, LinkState

# Screens in the order of the bar: (name, path, icon).
SCREENS = (
    ("inspect", "/", "fact_check"),
    ("sources", "/sources", "videocam"),
    ("layout", "/layout", "crop_free"),
    ("teach", "/teach", "school"),
    ("history", "/history", "history"),
    ("system", "/system", "settings"),
)
_DOTS = {
    Link.READY: "var(--ok)",
    Link.DEGRADED: "#d08700",
    Link.LOADING: "#d08700",
    Link.CONNECTING: "#d08700",
}
TICK_S = 0.5
Kind = Literal["positive", "negative", "warning", "ongoing"]


class Page:
    """What a screen gets: the parts, and the page's one timer."""

    def __init__(self, gui: Gui, name: str) -> None:
        self.gui, self.name, self.words = gui, name, gui.words
        self._ticks: list[Callable[[], Awaitable[None] | None]] = []

    def every_tick(self, work: Callable[[], Awaitable[None] | None]) -> None:
        """Do it twice a second while the page is open."""
        self._ticks.append(work)

    async def tick(self) -> None:
        for work in self._ticks:
            waiting = work()
            if waiting is not None:
                await waiting


@contextmanager
def page(gui: Gui, name: str) -> Iterator[Page]:
    """`with page(gui, "history") as here:` draws the frame, then the screen inside it."""
    here, words = Page(gui, name), gui.words
    theme.apply(dark=gui.preferences.now.dark)
    ui.page_title(f"{words(f'shell.{name}')} · BrakeDisc")
    _header(here)
    _status_bar(here)
    gui.link.announced.subscribe(
        lambda key, values: notify(words(key, **values), "warning", timeout=0, close_button=True)
    )
    with ui.column().classes("page gap-4"):
        yield here
    ui.timer(TICK_S, here.tick)


def notify(text: str, kind: Kind, **options: Any) -> None:
    """A message that goes by itself, where it covers least; what lies below it can be used meanwhile."""
    ui.notify(text, type=kind, position="bottom-left", **options)


def tell(here: Page, error: ServiceError) -> None:
    """A call that failed, in the person's language, with what to do."""
    sentence = here.words.problem(error.code, error.detail)
    caption = error.detail if error.detail not in sentence else ""
    notify(sentence, "negative", caption=caption, timeout=8000, close_button=True, multi_line=True)


async def sure(here: Page, question: str, do: str) -> bool:
    """Ask before what cannot be undone; `do` is the word on the button that does it."""
    with ui.dialog().props("persistent") as dialog, ui.card().classes("gap-4"):
        ui.label(question).classes("text-body1")
        with ui.row().classes("w-full justify-end"):
            ui.button(here.words("shell.cancel"), on_click=lambda: dialog.submit(False)).props("flat").props(
                "data-testid=cancel"
            )
            ui.button(do, on_click=lambda: dialog.submit(True)).props("color=negative").props("data-testid=confirm")
    answer = bool(await dialog)
    dialog.delete()
    return answer


def empty(icon: str, text: str, button: str = "", path: str = "") -> None:
    """What an empty screen says: what to do next, and the way there."""
    with ui.column().classes("card w-full items-center gap-3 q-pa-xl"):
        ui.icon(icon, size="56px").classes("muted")
        ui.label(text).classes("text-h6 text-center")
        if button:
            ui.button(button, on_click=lambda: ui.navigate.to(path))


def _header(here: Page) -> None:
    words = here.words
    with ui.header().classes("items-center q-py-xs q-px-md no-wrap gap-1").style("background: #12324f"):
        ui.label("BrakeDisc").classes("text-h6 text-weight-bold gt-sm q-mr-md")
        for name, path, icon in SCREENS:
            button = ui.button(words(f"shell.{name}"), icon=icon, on_click=lambda path=path: ui.navigate.to(path))
            button.props("flat no-caps color=white").props(f"data-testid=go-{name}")
            if name == here.name:
                button.style("background: rgba(255,255,255,.22)").props('aria-current="page"')
        ui.space()
        _language_switch(here)
        dark = here.gui.preferences.now.dark
        ui.button(icon="light_mode" if dark else "dark_mode", on_click=lambda: _change(here, dark=not dark)).props(
            f'flat round color=white aria-label="{words("shell.dark")}"'
        ).props("data-testid=dark")
        ui.button(icon="lan", on_click=lambda: ui.navigate.to("/connection")).props(
            f'flat round color=white aria-label="{words("shell.connection")}"'
        ).props("data-testid=go-connection")


def _language_switch(here: Page) -> None:
    for language in LANGUAGES:
        button = ui.button(language.upper(), on_click=lambda language=language: _change(here, language=language))
        button.props("flat dense color=white").props(f"data-testid=language-{language}")
        if language == here.words.language:
            button.style("text-decoration: underline; font-weight: 700")


def _change(here: Page, **changes: object) -> None:
    here.gui.preferences.change(**changes)
    ui.navigate.reload()


def _status_bar(here: Page) -> None:
    with (
        ui.footer()
        .classes("q-py-xs q-px-md")
        .style("background: var(--card); color: var(--text); border-top: 1px solid var(--line)")
    ):
        bar = ui.row().classes("statusbar items-center no-wrap w-full").props("data-testid=status")
    shown: list[object] = []

    def show(state: LinkState) -> None:
        items = status_items(here, state)
        if [items, state.link] == shown:
            return
        shown[:] = [items, state.link]
        bar.clear()
        with bar:
            ui.element("span").classes("state-dot").style(
                f"background: {_DOTS.get(state.link, 'var(--ng)')}; flex: none"
            )
            for item in items:
                ui.label(item).classes("item")

    show(here.gui.link.state)
    here.gui.link.changed.subscribe(show)


def status_items(here: Page, state: LinkState) -> list[str]:
    """State in words, device, backbone, version, GPU memory, latency, frozen or not."""
    words, health, language = here.words, state.health, here.words.language
    first = words(f"status.{state.link}")
    if state.code and words.has(f"problems.{state.code}") and not state.usable:
        first = f"{first}: {words.problem(state.code, state.detail)}"
    items = [words("status.retrying", state=first) if state.retrying else first]
    if health is None:
        return items
    items += [health.device_name or health.device, health.model, words("status.version", version=health.version)]
    if health.gpu_mem_mb:
        items.append(words("status.gpu_mem", mb=formats.number(health.gpu_mem_mb, language, 0)))
    if health.latency_infer_ms.p50 is not None:
        items.append(words("status.latency", ms=formats.number(health.latency_infer_ms.p50, language, 0)))
    if health.frozen:
        items.append(words("status.frozen", by=health.frozen.by))
    else:
        items.append(words("status.not_frozen"))
    if state.link is Link.DEGRADED and health.reason:
        items.append(words.problem(state.code, health.reason))
    return items
