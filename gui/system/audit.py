"""Who did what, when and from where; and whether nobody has changed what is written there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from gui.kit import formats
from gui.service import system as calls
from gui.service.client import ServiceError
from gui.shell import tell
from gui.system.tab import Tab, outcome, sheet
from service.contract.system import AuditAnswer, AuditEntry

ACTIONS = (
    "fit", "calibrate", "activate", "rollback", "dataset_add", "dataset_delete", "dataset_clear", "dataset_move",
    "golden", "layout", "layout_delete", "freeze", "unfreeze", "restore", "restore_verified", "settings_change",
    "settings", "key_add", "key_delete", "keys", "service_restart",
)  # fmt: skip
_LONGEST = 160


async def fetch(tab: Tab) -> Callable[[], None]:
    first = await calls.audit(tab.client)
    return _Audit(tab, first).draw


class _Audit:
    def __init__(self, tab: Tab, first: AuditAnswer) -> None:
        self._tab, self._entries = tab, first.entries
        self._action = ""

    def draw(self) -> None:
        tab = self._tab
        tab.title("audit")
        with ui.row().classes("w-full items-center"):
            choices = {"": tab.say("all_actions")} | {name: action_text(tab, name) for name in ACTIONS}
            action = ui.select(choices, value="", label=tab.say("col_action")).props("outlined dense")
            action.style("min-width: 240px").props("data-testid=action")
            action.on_value_change(lambda event: self._filter(event.value))
            ui.button(tab.say("verify_audit"), icon="verified_user", on_click=self._verify).props(
                "outline data-testid=verify-audit"
            )
            self._proof = ui.html("", sanitize=False).props("data-testid=audit-proof")
        self._list = ui.column().classes("card w-full").props("data-testid=audit")
        self._more = ui.button(tab.say("older"), on_click=self._older).props("flat data-testid=older")
        self._show()

    async def _filter(self, action: str) -> None:
        self._action, self._entries = action, []
        await self._older()

    async def _older(self) -> None:
        before = self._entries[-1].seq if self._entries else None
        try:
            found = await calls.audit(self._tab.client, self._action, before)
        except ServiceError as error:
            tell(self._tab.here, error)
            return
        self._entries = [*self._entries, *found.entries]
        self._show()
        self._more.visible = bool(found.entries)

    async def _verify(self) -> None:
        tab = self._tab
        try:
            found = await calls.verify_audit(tab.client)
        except ServiceError as error:
            tell(tab.here, error)
            return
        said = tab.say("intact", n=found.n) if found.intact else tab.say("not_intact", problem=found.problem or "")
        self._proof.content = outcome(found.intact, said)

    def _show(self) -> None:
        tab = self._tab
        self._list.clear()
        with self._list:
            if not self._entries:
                ui.label(tab.say("no_entries"))
                return
            names = ("when", "who", "action", "target", "change")
            sheet([tab.say(f"col_{name}") for name in names], [_row(tab, entry) for entry in self._entries], "entries")


def _row(tab: Tab, entry: AuditEntry) -> list[str]:
    who = f"{entry.who} · {entry.station}" if entry.station else entry.who
    when = formats.date_and_time(entry.time_utc, tab.language)
    change = f"{_short(entry.old)} → {_short(entry.new)}" if entry.old is not None else _short(entry.new)
    return [when, who, action_text(tab, entry.action), _short(entry.target), change]


def action_text(tab: Tab, action: str) -> str:
    """In words; one that is new here as it is written."""
    return tab.say(f"action_{action}") if tab.here.words.has(f"system.action_{action}") else action


def _short(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    else:
        text = "–" if value is None else _plain(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
