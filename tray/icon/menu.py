"""Colour, tooltip and menu of the icon as pure functions of the view."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from service.contract.operations import BackupSummary
from tray.supervise.status import State, Status
from tray.texts import LANGUAGES, NAMES, Language, reason, text

TOOLTIP_LIMIT = 127  # NOTIFYICONDATA.szTip: 128 UTF-16 units, the last is 0
_LINE_LIMIT = 90  # a longer first line makes the menu as wide as the screen
_BACKUPS_SHOWN = 20  # a longer submenu scrolls off a 768-line screen; older ones: `brakedisc restore`
_WORKS = (State.READY, State.DEGRADED)
_STOPPABLE = (State.STARTING, State.READY, State.DEGRADED, State.DOWN)


class Colour(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True)
class View:
    """Everything the menu depends on."""

    status: Status = field(default_factory=Status)
    language: Language = "en"
    backups: tuple[BackupSummary, ...] | None = None  # None: not asked yet
    autostart: bool | None = None  # None: does not exist here
    busy: str = ""  # the action under way
    has_gui: bool = False  # the inspector's own page; without it, the service's page is opened


@dataclass(frozen=True)
class Entry:
    """One line. Without `action` and `entries` it is words alone; without `text` a separator."""

    text: str = ""
    action: str = ""
    argument: str = ""
    enabled: bool = True
    default: bool = False
    checked: bool | None = None
    radio: bool = False
    entries: tuple[Entry, ...] = ()


SEPARATOR = Entry()


def menu(view: View) -> tuple[Entry, ...]:
    words, status = partial(_entry, view.language), view.status
    works, idle = status.state in _WORKS and answers(status), not view.busy
    return (
        Entry(first_line(view), enabled=False),
        SEPARATOR,
        words("open", enabled=view.has_gui or answers(status), default=True),
        SEPARATOR,
        words("start", enabled=(status.state is State.STOPPED or waits_for_start(status)) and idle),
        words("stop", enabled=(status.state in _STOPPABLE and status.code != "gave_up") and idle),
        words("restart", enabled=(status.state in _STOPPABLE and not waits_for_start(status)) and idle),
        SEPARATOR,
        _training(view, enabled=works and idle),
        words("backup", enabled=works and idle),
        _restore(view, enabled=works and idle),
        SEPARATOR,
        words("logs"),
        words("data"),
        words("diagnostics", enabled=idle),
        SEPARATOR,
        words("autostart", enabled=view.autostart is not None, checked=bool(view.autostart)),
        Entry(text(view.language, "menu.language"), entries=_languages(view.language)),
        words("about"),
        words("quit"),
    )


def icon_colour(status: Status) -> Colour:
    if status.state is State.STOPPED:
        return Colour.GREY
    if status.state is State.DOWN:
        return Colour.RED
    calm = status.state is State.READY and not is_frozen(status) and status.gpu_lost_utc is None
    return Colour.GREEN if calm else Colour.AMBER


def tooltip(status: Status, language: Language) -> str:
    """State, device, GPU memory, last latency: the numbers stay, the words are cut to what Windows takes."""
    numbers = " · ".join(_numbers(status, language))
    tail = f"\n{numbers}" if numbers else ""
    room = TOOLTIP_LIMIT - _units(tail)
    return cut(f"BrakeDisc: {state_words(status, language)}", room) + tail


def first_line(view: View) -> str:
    words = state_words(view.status, view.language)
    if view.busy:
        words = f"{words} · {text(view.language, f'busy.{view.busy}')}"
    return cut(words, _LINE_LIMIT)


def state_words(status: Status, language: Language) -> str:
    why = reason(language, status.code, status.reason)
    key = f"state.{status.state}"
    if status.state is State.DOWN and not why:
        key = "state.down.unknown"
    if status.code == "no_answer":
        key = "state.silent"
    if status.state is State.READY and is_frozen(status):
        key = "state.ready.frozen"
    words = text(language, key, reason=why)
    lost = status.gpu_lost_utc is not None and status.code not in ("gpu_lost", "device_lost")
    return text(language, "state.gpu_lost", state=words) if lost else words


def is_frozen(status: Status) -> bool:
    return bool(status.health.get("training_frozen"))


def answers(status: Status) -> bool:
    """Whether a page of the service opens: it serves while it loads, and while weights are missing."""
    return bool(status.health)


def waits_for_start(status: Status) -> bool:
    """Down, and no process lives: start means now, instead of after the delay or never."""
    return status.state is State.DOWN and status.pid is None


def local_time(utc: str) -> str:
    """ISO 8601 in UTC as this PC's clock shows it: `2026-03-01 06:30`."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return utc
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone().strftime("%Y-%m-%d %H:%M")


def _entry(
    language: Language, action: str, *, enabled: bool = True, default: bool = False, checked: bool | None = None
) -> Entry:
    """One whose action is also the key of its text."""
    return Entry(text(language, f"menu.{action}"), action, enabled=enabled, default=default, checked=checked)


def _training(view: View, *, enabled: bool) -> Entry:
    if not is_frozen(view.status):
        return Entry(text(view.language, "menu.freeze"), "freeze", enabled=enabled)
    by = (view.status.health.get("frozen") or {}).get("by")
    label = text(view.language, "menu.unfreeze.by", by=cut(by, 30)) if by else text(view.language, "menu.unfreeze")
    return Entry(label, "unfreeze", enabled=enabled)


def _restore(view: View, *, enabled: bool) -> Entry:
    items = tuple(
        Entry(
            text(view.language, "menu.restore.item", time=local_time(backup.created_utc), version=backup.version),
            "restore",
            backup.name,
            enabled=enabled,
        )
        for backup in (view.backups or ())[:_BACKUPS_SHOWN]
    )
    why_none = "menu.restore.unknown" if view.backups is None else "menu.restore.none"
    none = (Entry(text(view.language, why_none), enabled=False),)
    return Entry(text(view.language, "menu.restore"), enabled=enabled, entries=items or none)


def _languages(current: Language) -> tuple[Entry, ...]:
    return tuple(
        Entry(NAMES[language], "language", language, checked=language == current, radio=True) for language in LANGUAGES
    )


def _numbers(status: Status, language: Language) -> Iterable[str]:
    health: dict[str, Any] = dict(status.health) if status.state in _WORKS else {}
    if device := health.get("device_name") or health.get("device"):
        yield cut(str(device), 40)
    if gpu_mb := health.get("gpu_mem_mb"):
        yield text(language, "tip.gpu", mb=round(gpu_mb))
    if (median_ms := (health.get("latency_infer_ms") or {}).get("p50")) is not None:
        yield text(language, "tip.latency", ms=round(median_ms))


def cut(words: str, units: int) -> str:
    """At most so many UTF-16 units: Windows counts those, and an emoji in a device name is two."""
    if _units(words) <= units:
        return words
    while _units(words) >= units:
        words = words[:-1]
    return f"{words}…"


def _units(words: str) -> int:
    return len(words.encode("utf-16-le")) // 2
