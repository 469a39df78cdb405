"""The audit log: who did what, when, from where; and the proof that no entry was changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import sheet
from gui.kit.widgets import anew, button, select
from gui.system.log_view import plain
from gui.system.tab import Tab, outcome
from service.contract.system import AuditAnswer, AuditEntry, AuditVerifyAnswer

# of the service, in the order of the work; an action that is missing here is listed, but not in the filter
ACTIONS = (
    "fit", "calibrate", "accept_provisional", "activate", "rollback", "dataset_add", "dataset_delete", "dataset_clear",
    "dataset_move", "golden", "layout", "layout_delete", "freeze", "unfreeze", "restore", "restore_verified",
    "settings_change", "settings", "key_add", "key_delete", "keys", "service_restart",
)  # fmt: skip
SHOWN = 50  # entries at a time
_LONGEST = 160  # characters of a cell, or one large layout would fill the table


async def fetch(tab: Tab) -> Callable[[], None]:
    first = await tab.client.get("/audit", AuditAnswer, limit=SHOWN)
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
            action = select(tab.say("col_action"), choices, "", "action", 240)
            action.on_value_change(lambda event: self._filter(event.value))
            button(tab.say("verify_audit"), self._verify, "verify-audit", "outline", "verified_user")
            self._proof = ui.html("", sanitize=False).props("data-testid=audit-proof")
        self._list = ui.column().classes("card w-full").props("data-testid=audit")
        self._more = button(tab.say("older"), self._older, "older", "flat")
        self._show()

    async def _filter(self, action: str) -> None:
        self._action, self._entries = action, []
        await self._older()

    async def _older(self) -> None:
        before = self._entries[-1].seq if self._entries else None
        tab, asked = self._tab, {"action": self._action or None, "before": before}
        found = await tab.tried(tab.client.get("/audit", AuditAnswer, limit=SHOWN, **asked))
        if found is None:
            return
        self._entries = [*self._entries, *found.entries]
        self._show()
        self._more.visible = bool(found.entries)

    async def _verify(self) -> None:
        tab = self._tab
        found = await tab.tried(tab.client.send("POST", "/audit/verify", AuditVerifyAnswer))
        if found is None:
            return
        said = tab.say("intact", n=found.n) if found.intact else tab.say("not_intact", problem=found.problem or "")
        self._proof.content = outcome(found.intact, said)

    def _show(self) -> None:
        tab = self._tab
        with anew(self._list):
            if not self._entries:
                ui.label(tab.say("no_entries"))
                return
            names = tab.columns("when", "who", "action", "target", "change")
            sheet(names, (_row(tab, entry) for entry in self._entries), "entries")


def _row(tab: Tab, entry: AuditEntry) -> list[str]:
    who = f"{entry.who} · {entry.station}" if entry.station else entry.who
    when = formats.date_and_time(entry.time_utc, tab.language)
    change = f"{_short(entry.old)} → {_short(entry.new)}" if entry.old is not None else _short(entry.new)
    return [when, who, action_text(tab, entry.action), _short(entry.target), change]


def action_text(tab: Tab, action: str) -> str:
    """In words; an action without words as the log has it."""
    return tab.say(f"action_{action}") if tab.here.words.has(f"system.action_{action}") else action


def _short(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {plain(item)}" for name, item in value.items())
    else:
        text = "–" if value is None else plain(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
