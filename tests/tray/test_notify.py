"""What is worth a notification, and how often: states and inspections in, sentences out."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.kit.tray_twin import HEALTH
from tray.icon.ng_watch import NgWatch
from tray.icon.notify import news
from tray.supervise.status import State, Status

READY = Status(State.READY, health=HEALTH)
DOWN = Status(State.DOWN, "crashed", "The service ended with code 1.")
STARTING = Status(State.STARTING, "starting")
STOPPED = Status(State.STOPPED)
BACK = "The service is back."
IS_DOWN = "The service is down: crashed, is being restarted"


def said(*statuses: Status, min_free_mb: int = 1024) -> list[str]:
    """Everything said while the service goes through these states."""
    topics: frozenset[str] = frozenset()
    words = []
    for status in statuses:
        notes, topics = news(topics, status, "en", min_free_mb)
        words += [note.words("en") for note in notes]
    return words


def with_health(**changes: Any) -> Status:
    return replace(READY, health={**HEALTH, **changes})


def with_backup(**changes: Any) -> Status:
    return with_health(backup={"last_success_utc": None, "error": None, "copy_error": None, **changes})


BACKUP = "The backup failed: E: is full"
COPY = "The second copy of the backup failed: \\\\nas is not there"
DISK = "The disk is almost full: 900 MB free."
GPU = "The GPU was lost. Parts without a verdict have to be inspected again."
GOLDEN = "The golden parts failed. Do not trust verdicts until quality has looked at it."
GOLDEN_FAILED = with_health(code="disk_low", codes=["disk_low", "golden_failed"])
FULL = "E: is full"
TAKEN = Status(State.DOWN, "port_taken", "python (process 7) uses port 8000.")
LOST = replace(READY, gpu_lost_utc="2026-03-01T06:30:00+00:00")
CASES: dict[str, tuple[tuple[Status, ...], list[str]]] = {
    "a start like every morning": ((STOPPED, STARTING, READY, READY), []),
    "a crash, and back": ((READY, DOWN, DOWN, STARTING, READY), [IS_DOWN, BACK]),
    "degraded is back too": ((READY, DOWN, replace(READY, state=State.DEGRADED, code="disk_low")), [IS_DOWN, BACK]),
    "crash after crash": ((READY, DOWN, STARTING, DOWN, STARTING, DOWN), [IS_DOWN]),
    "a second crash later": ((READY, DOWN, READY, DOWN), [IS_DOWN, BACK, IS_DOWN]),
    "stopped on purpose while down": ((DOWN, STOPPED, STARTING, READY), [IS_DOWN]),
    "stopped on purpose": ((READY, Status(State.STOPPING), STOPPED), []),
    "never came up": ((STARTING, TAKEN), ["The service is down: another program uses the port"]),
    "a backup that keeps failing": ((READY, with_backup(error=FULL), with_backup(error=FULL)), [BACKUP]),
    "a backup that works again": (
        (with_backup(error=FULL), READY, with_backup(error=FULL)),
        [BACKUP, BACKUP],
    ),
    "no second folder": ((READY, with_backup(copy_error="\\\\nas is not there")), [COPY]),
    "an old failure survives a restart": (
        (with_backup(error=FULL), STARTING, with_backup(error=FULL)),
        [BACKUP],
    ),
    "a full disk": ((READY, with_health(disk_free_mb=900), with_health(disk_free_mb=899)), [DISK]),
    "a disk around its limit": (
        (with_health(disk_free_mb=900), with_health(disk_free_mb=1030), with_health(disk_free_mb=900)),
        [DISK],
    ),
    "a disk that was emptied": (
        (with_health(disk_free_mb=900), with_health(disk_free_mb=5000), with_health(disk_free_mb=900)),
        [DISK, DISK],
    ),
    "a lost GPU": ((READY, LOST, LOST, replace(LOST, state=State.STARTING), LOST), [GPU]),
    "a lost GPU, seen to, lost again": ((LOST, READY, LOST), [GPU, GPU]),
    "golden parts": ((READY, GOLDEN_FAILED, GOLDEN_FAILED), [GOLDEN]),
    "golden parts not yet checked": ((READY, with_health(code="golden_not_checked", codes=["golden_not_checked"])), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_occurrence_is_said_once(name: str) -> None:
    statuses, words = CASES[name]
    assert said(*statuses) == words


def test_without_a_limit_no_disk_is_too_small() -> None:
    assert said(with_health(disk_free_mb=0), min_free_mb=0) == []


def test_the_words_are_the_operators() -> None:
    notes, _ = news(frozenset(), DOWN, "es", 0)
    assert [note.words("es") for note in notes] == ["El servicio está caído: falló, se está reiniciando"]


class Line:
    """Parts that come along one after another, and what the record answers."""

    def __init__(self, ng: int, of: int) -> None:
        self.watch = NgWatch(ng, of)
        self.record: list[dict[str, Any]] = []
        self._numbers = count()
        self.look()

    def inspect(self, verdicts: str, roi: str = "ring", *, every_s: float = 1.0) -> list[str]:
        for verdict in verdicts:
            number = next(self._numbers)
            minute, second = divmod(number * every_s, 60)
            self.record.append({
                "inspection_id": f"i{number}",
                "time_utc": f"2026-03-01T06:{int(minute):02}:{second:09.6f}+00:00",
                "role_id": "disc",
                "roi_id": roi,
                "verdict": {"O": "OK", "N": "NG", "?": None}[verdict],
            })  # fmt: skip
        return self.look()

    def look(self) -> list[str]:
        since = self.watch.since_utc or ""
        newest_first = [item for item in reversed(self.record) if item["time_utc"] >= since]
        return [note.words("en") for note in self.watch.feed(newest_first)]


ALARM = "disc / ring: 3 of the last 6 parts are NG."


def test_three_of_the_last_ten_are_said() -> None:
    line = Line(3, 10)
    assert line.inspect("ONOO") == []
    assert line.inspect("NN") == [ALARM]


def test_a_look_that_finds_nothing_new_counts_nothing_twice() -> None:
    line = Line(3, 10)
    assert line.inspect("ONN") == []
    assert [line.look() for _ in range(3)] == [[], [], []]


def test_it_is_said_once_until_the_roi_has_recovered() -> None:
    line = Line(2, 4)
    assert len(line.inspect("NN")) == 1
    assert line.inspect("NNN") == []
    assert line.inspect("OOOO") == []
    assert len(line.inspect("NN")) == 1


def test_each_roi_counts_for_itself() -> None:
    line = Line(2, 4)
    assert line.inspect("N", "ring") + line.inspect("N", "hub") == []
    assert line.inspect("N", "hub") == ["disc / hub: 2 of the last 2 parts are NG."]


def test_ng_that_lie_further_apart_are_no_series() -> None:
    assert Line(2, 3).inspect("NOONOONOON") == []


def test_inspections_without_a_verdict_count_for_nothing() -> None:
    assert len(Line(2, 3).inspect("N????N")) == 1


def test_what_was_there_before_the_tray_is_no_news() -> None:
    line = Line(2, 4)
    line.inspect("NNNN")
    later = NgWatch(2, 4)
    assert later.feed(list(reversed(line.record))) == []
    assert later.since_utc is not None
    assert later.feed(list(reversed(line.record))) == []


def test_parts_that_are_recorded_late_are_not_missed() -> None:
    line = Line(2, 4)
    line.inspect("NO")
    late = {**line.record[0], "inspection_id": "late", "time_utc": "2026-03-01T06:00:00.500000+00:00"}
    line.record.insert(1, late)
    assert len(line.look()) == 1


def test_zero_switches_it_off() -> None:
    assert Line(0, 10).inspect("N" * 20) == []
