"""The frame around every screen: navigation, language, light or dark, the status bar, messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from nicegui import ui

from gui.gui import Gui
from gui.kit import formats, theme
from gui.kit.widgets import anew, answer, button, card_dialog, done, empty, link, notify, redrawn
from gui.kit.words import Told
from gui.language import LANGUAGES, Language
from gui.service.client import ServiceError, may_pass
from gui.service.link import Link, LinkState

T = TypeVar("T")
Draw = Callable[[], Awaitable[None] | None]

# Screens in the order of the bar: (name, path, icon).
SCREENS = (
    ("inspect", "/", "fact_check"),
    ("sources", "/sources", "videocam"),
    ("layout", "/layout", "crop_free"),
    ("teach", "/teach", "school"),
    ("history", "/history", "history"),
    ("system", "/system", "settings"),
)
_DOTS = {Link.READY: "var(--ok)", **dict.fromkeys((Link.DEGRADED, Link.LOADING, Link.CONNECTING), "#d08700")}
TICK_S = 0.5


class Page:
    """One open page: the parts of the inspector, the page's timer, and how the person is told and asked.

    Messages and dialogs are drawn into `root`, which lives as long as the page: the button that a person pressed may
    be gone by the time the service answers.
    """

    def __init__(self, gui: Gui, name: str) -> None:
        self.gui, self.name, self.words, self.client = gui, name, gui.words, gui.client
        self.root = ui.column().classes("page gap-4")
        self._ticks: list[Callable[[], Awaitable[None] | None]] = []

    @property
    def language(self) -> Language:
        return self.words.language

    def change(self, **changes: object) -> None:
        """Keep a preference that changes how every screen looks."""
        self.gui.preferences.change(**changes)
        ui.navigate.reload()

    def every_tick(self, work: Callable[[], Awaitable[None] | None]) -> None:
        """Call `work` twice a second while the page is open."""
        self._ticks.append(work)

    async def tick(self) -> None:
        for work in self._ticks:
            await done(work())

    async def tried(self, work: Awaitable[T]) -> T | None:
        """The result of `work`; None when it failed and the person has been told why."""
        try:
            return await work
        except Told as error:
            self.tell(error)
            return None

    def tell(self, error: Told) -> None:
        """The failure as a sentence in the person's language, with what to do."""
        sentence = self.words.problem(error.code, error.detail)
        caption = error.detail if error.detail not in sentence else ""
        with self.root:
            notify(sentence, "negative", caption=caption, timeout=8000, close_button=True, multi_line=True)

    def warn(self, text: str) -> None:
        with self.root:
            notify(text, "warning", timeout=6000, close_button=True)

    def note(self, text: str) -> None:
        with self.root:
            notify(text, "positive")

    async def sure(self, question: str, do: str) -> bool:
        """Ask before a step that cannot be undone; `do` is the word on the button that does it."""
        with self.root, card_dialog() as dialog:
            ui.label(question).classes("text-body1")
            with ui.row().classes("w-full justify-end"):
                button(self.words("shell.cancel"), lambda: dialog.submit(False), "cancel", "flat")
                button(do, lambda: dialog.submit(True), "confirm", "color=negative")
        return bool(await answer(dialog))


@contextmanager
def page(gui: Gui, name: str) -> Iterator[Page]:
    """`with page(gui, "history") as here:` draws header and status bar, then the screen between them."""
    here, words = Page(gui, name), gui.words
    theme.apply(name, dark=gui.preferences.now.dark)
    ui.page_title(f"{words(f'shell.{name}')} · BrakeDisc")
    _header(here)
    _status_bar(here)
    gui.link.announced.subscribe(
        lambda key, values: notify(words(key, **values), "warning", timeout=0, close_button=True)
    )
    with here.root:
        yield here
    ui.timer(TICK_S, here.tick)


class Opening:
    """A part of a page that needs an answer of the service before it can be drawn.

    `ask` asks for it, and returns a function that draws it. After a failure that may pass, `ask` is called again as
    soon as the service is back. Of two calls that overlap, only the later one is drawn.
    """

    def __init__(self, here: Page, body: ui.element, ask: Callable[[], Awaitable[Draw]]) -> None:
        self._here, self._body, self._ask = here, body, ask
        self._failed, self._turn = False, 0
        here.every_tick(self._again)

    def begin(self) -> None:
        """Load after the page has been sent: the person sees its frame at once."""
        ui.timer(0, self.load, once=True)

    async def load(self) -> None:
        self._turn += 1
        turn, self._failed = self._turn, False
        try:
            draw = await self._ask()
        except ServiceError as error:
            self._failed = turn == self._turn and may_pass(error)
            draw = partial(empty, "cloud_off", self._here.words.problem(error.code, error.detail))
        if turn != self._turn:
            return
        with anew(self._body):
            await done(draw())

    async def _again(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.load()


def _header(here: Page) -> None:
    words, dark = here.words, here.gui.preferences.now.dark
    with ui.header().classes("items-center q-py-xs q-px-md no-wrap gap-1").style("background: #12324f"):
        ui.label("BrakeDisc").classes("text-h6 text-weight-bold gt-sm q-mr-md")
        for name, path, icon in SCREENS:
            go = link(words(f"shell.{name}"), path, f"go-{name}", "flat no-caps color=white", icon)
            if name == here.name:
                go.style("background: rgba(255,255,255,.22)").props('aria-current="page"')
        ui.space()
        for language in LANGUAGES:
            change = partial(here.change, language=language)
            switch = button(language.upper(), change, f"language-{language}", "flat dense color=white")
            if language == here.language:
                switch.style("text-decoration: underline; font-weight: 700")
        look = "flat round color=white aria-label="
        change = partial(here.change, dark=not dark)
        button("", change, "dark", f'{look}"{words("shell.dark")}"', "light_mode" if dark else "dark_mode")
        link("", "/connection", "go-connection", f'{look}"{words("shell.connection")}"', "lan")


def _status_bar(here: Page) -> None:
    with ui.footer().classes("q-py-xs q-px-md status"):
        bar = ui.row().classes("statusbar items-center no-wrap w-full").props("data-testid=status")

    def draw(link: Link, items: list[str]) -> None:
        ui.element("span").classes("state-dot").style(f"background: {_DOTS.get(link, 'var(--ng)')}")
        for item in items:
            ui.label(item).classes("item")

    draw_changed = redrawn(bar, draw)

    def show(state: LinkState) -> None:
        draw_changed(state.link, status_items(here, state))

    show(here.gui.link.state)
    here.gui.link.changed.subscribe(show)


def status_items(here: Page, state: LinkState) -> list[str]:
    """The texts of the status bar: state, device, backbone, version, GPU memory, latency, frozen or not."""
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
    frozen = health.frozen
    items.append(words("status.frozen", by=frozen.by) if frozen else words("status.not_frozen"))
    if state.link is Link.DEGRADED and health.reason:
        items.append(words.problem(state.code, health.reason))
    return items
