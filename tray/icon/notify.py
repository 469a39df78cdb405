"""Chooses what is worth a notification: told once when it begins, again only after it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tray.supervise.status import State, Status
from tray.texts import Language, reason, text

_WORKS = (State.READY, State.DEGRADED)
_ON_PURPOSE = (State.STOPPED, State.STOPPING)
# What begins is said, in this order: the texts of the topics.
_TEXTS = ("note.down", "note.gpu", "note.disk", "note.backup", "note.backup_copy", "note.golden")
# A disk that swings around its limit is one occurrence: this much above it has to be free before it counts as over.
_DISK_MARGIN = 1.05


@dataclass(frozen=True)
class Note:
    key: str
    values: tuple[tuple[str, object], ...] = ()

    def words(self, language: Language) -> str:
        return text(language, self.key, **dict(self.values))


def news(
    said: frozenset[str], status: Status, language: Language, min_free_mb: int
) -> tuple[list[Note], frozenset[str]]:
    """What to say now, and the topics that are open from now on: hand them in the next time."""
    begun, ended = set[str](), set[str]()
    for topic, holds in _topics(status, min_free_mb, open_now=said):
        (begun if holds else ended).add(topic)
    notes = [_note(key, status, language) for key in _TEXTS if key.removeprefix("note.") in begun - said]
    if "down" in said & ended and status.state in _WORKS:
        notes.append(Note("note.back"))
    return notes, (said | begun) - ended


def _topics(status: Status, min_free_mb: int, *, open_now: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Each topic that this status says something about, and whether it holds. Unsaid topics stay as they were."""
    if status.state is State.DOWN:
        yield "down", True
    elif status.state in (*_WORKS, *_ON_PURPOSE):  # starting again is not yet being back
        yield "down", False
    lost = status.gpu_lost_utc is not None or status.code in ("gpu_lost", "device_lost")
    if lost or status.state in (*_WORKS, *_ON_PURPOSE):
        yield "gpu", lost
    if status.state in _WORKS and status.health:
        yield from _of_health(status, min_free_mb, open_now)


def _of_health(status: Status, min_free_mb: int, open_now: frozenset[str]) -> Iterator[tuple[str, bool]]:
    backup = status.health.get("backup") or {}
    yield "backup", bool(backup.get("error"))
    yield "backup_copy", bool(backup.get("copy_error"))
    yield "golden", "golden_failed" in status.health.get("codes", ())
    free_mb = status.health.get("disk_free_mb")
    if free_mb is not None:
        limit_mb = min_free_mb * _DISK_MARGIN if "disk" in open_now else min_free_mb
        yield "disk", free_mb < limit_mb


def _note(key: str, status: Status, language: Language) -> Note:
    backup = status.health.get("backup") or {}
    values: dict[str, dict[str, object]] = {
        "note.down": {"reason": reason(language, status.code, status.reason) or text(language, "failed.no_answer")},
        "note.backup": {"reason": backup.get("error")},
        "note.backup_copy": {"reason": backup.get("copy_error")},
        "note.disk": {"mb": status.health.get("disk_free_mb")},
    }
    return Note(key, tuple(values.get(key, {}).items()))
