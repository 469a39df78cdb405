"""System: how the service is, and what keeps it right. One page, a tab for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from gui.gui import Gui
from gui.service.client import ServiceError, may_pass
from gui.shell import Page, empty, page
from gui.system import about, audit, backups, freeze, golden, health, keys, language, logs, settings
from gui.system.tab import Fetch, Tab

TABS: dict[str, tuple[Fetch, str]] = {
    "health": (health.fetch, "monitor_heart"),
    "backups": (backups.fetch, "inventory_2"),
    "freeze": (freeze.fetch, "ac_unit"),
    "golden": (golden.fetch, "verified"),
    "logs": (logs.fetch, "subject"),
    "audit": (audit.fetch, "policy"),
    "keys": (keys.fetch, "key"),
    "settings": (settings.fetch, "tune"),
    "language": (language.fetch, "translate"),
    "about": (about.fetch, "info"),
}
CSS = """
.sheet { border-collapse: collapse; width: 100%; font-size: 15px; }
.sheet th { text-align: left; font-weight: 600; color: var(--muted); padding: 6px 12px; vertical-align: bottom; }
.sheet td { padding: 8px 12px; border-top: 1px solid var(--line); vertical-align: middle; overflow-wrap: anywhere; }
[data-testid=entries] td:nth-child(-n+3) { overflow-wrap: normal; }
[data-testid=entries] td:first-child { white-space: nowrap; }
.pass { color: #11703c; font-weight: 700; } .fail { color: #b3141f; font-weight: 700; }
.body--dark .pass { color: #6fd39b; } .body--dark .fail { color: #ff8a90; }
.note { background: #fff3d6; color: #5c3d00; border: 1px solid #d9a400; border-radius: 8px; padding: 10px 16px; }
.system-tabs { min-width: 210px; } .system-tabs .q-tab { justify-content: flex-start; min-height: 46px; }
.system-tabs .q-tab__content { min-width: 0; }
.system-tabs .q-tab--active { background: color-mix(in srgb, var(--q-primary) 16%, transparent); }
.q-field__messages { font-size: 14px; line-height: 1.3; }
.sticky { position: sticky; top: 50px; z-index: 2; background: var(--page); padding: 4px 0; }
.lines .WARNING { color: #8a5300; } .lines .ERROR { color: #b3141f; font-weight: 700; }
.lines .DEBUG { color: var(--muted); }
.body--dark .lines .WARNING { color: #ffc266; } .body--dark .lines .ERROR { color: #ff8a90; }
.lines { font-family: ui-monospace, Consolas, monospace; font-size: 14px; overflow: auto; white-space: pre-wrap; }
"""


def show(gui: Gui) -> None:
    asked = ui.context.client.request.query_params.get("tab", "")
    with page(gui, "system") as here:
        ui.add_css(CSS)
        with ui.row().classes("w-full no-wrap items-start gap-4"):
            with ui.tabs().props("vertical no-caps inline-label").classes("card q-pa-none system-tabs") as tabs:
                for name, (_, icon) in TABS.items():
                    ui.tab(name, here.words(f"system.{name}"), icon).props(f"data-testid=tab-{name}")
            body = ui.column().classes("col gap-4").style("min-width: 0")
        shown = _Shown(here, body, asked if asked in TABS else "health")
        tabs.value = shown.name
        tabs.on_value_change(lambda event: shown.open(event.value))
        ui.timer(0, shown.load, once=True)
        here.every_tick(shown.tick)


class _Shown:
    """The tab one looks at: asked of the service first, then drawn; again when the service has come back."""

    def __init__(self, here: Page, body: ui.column, name: str) -> None:
        self._here, self._body, self.name = here, body, name
        self._tick: Callable[[], Awaitable[None] | None] = lambda: None
        self._failed, self._turn = False, 0

    async def open(self, name: str) -> None:
        self.name = name
        ui.navigate.history.replace(f"/system?tab={name}")
        await self.load()

    async def load(self) -> None:
        self._turn += 1
        turn, fetch = self._turn, TABS[self.name][0]
        self._tick, self._failed = lambda: None, False
        tab = Tab(self._here, self.load)
        try:
            draw = await fetch(tab)
        except ServiceError as error:
            if turn == self._turn:
                self._fail(error)
            return
        if turn != self._turn:  # another tab was opened meanwhile
            return
        self._body.clear()
        with self._body:
            draw()
        self._tick = tab.tick

    async def tick(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.load()
            return
        waiting = self._tick()
        if waiting is not None:
            await waiting

    def _fail(self, error: ServiceError) -> None:
        self._failed = may_pass(error)
        self._body.clear()
        with self._body:
            empty("cloud_off", self._here.words.problem(error.code, error.detail))
