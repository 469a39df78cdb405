"""Checks that the audit log is unchanged: each line carries the SHA-256 of the one before. Needs no service.

`logs/audit.jsonl` holds one entry a line. `logs/audit.head` says how it ended at the last append, so that a tail that
was cut off is missed, too. Neither holds a secret: an attacker who rewrites both files and every hash is found
only by a head written down elsewhere (a backup's manifest, a printed report), which `verify` takes as `known`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from service.store.files import read_sealed, sha256

LOG, HEAD = "audit.jsonl", "audit.head"
# What the log writes about itself: a power cut's half line was cut off; somebody changed the file between two appends.
REPAIRED, BROKEN = "audit_repaired", "audit_broken"
# The first append may be killed before it writes the head, and the next ones; more entries without a head are no crash.
FEW = 4
_BLOCK = 65536


@dataclass(frozen=True)
class Entry:
    seq: int
    time_utc: str
    action: str
    by: str
    station: str
    request_id: str
    target: dict[str, Any]
    old: Any
    new: Any
    prev: str


@dataclass(frozen=True)
class Head:
    """An entry's number and the SHA-256 of its line: all that stands before it follows from these."""

    seq: int
    sha256: str


START = Head(0, "0" * 64)


@dataclass(frozen=True)
class Verified:
    """`problem` is the first of `problems`, in words, None when the log is whole; `head` is worth writing down.

    `torn`: the last line is half written, by an append under way or a power cut; nobody was answered for it.
    """

    entries: int
    problem: str | None
    problems: int
    repairs: int
    torn: bool
    head: Head


def log_path(data_root: Path) -> Path:
    return data_root / "logs" / LOG


def verify(path: Path, known: Iterable[Head] = ()) -> Verified:
    """Check every line of an `audit.jsonl` against the one before, against its head, and against heads known elsewhere.

    A log that goes on after its head is whole: a crash between the two writes leaves it so. Streams: 100 MB in seconds.
    """
    check = _Check(known)
    check.expect_head(path)  # before the lines: an append meanwhile puts the log ahead of it, never behind
    try:
        with open(path, "rb") as file:
            for line in file:
                check.line(line)
    except FileNotFoundError:
        pass
    check.end()
    first = check.problems[0] if check.problems else None
    return Verified(check.entries, first, len(check.problems), check.repairs, check.torn, check.head)


class _Check:
    """What is known while the lines pass."""

    def __init__(self, known: Iterable[Head]) -> None:
        self.expected = {head.seq: head.sha256 for head in known if head.seq > 0}
        self.has_head = False
        self.head, self.entries, self.repairs, self.torn = START, 0, 0, False
        self.problems: list[str] = []
        self._number = 0

    def expect_head(self, path: Path) -> None:
        try:
            head = read_head(path)
        except ValueError:
            self.has_head = True  # there is one; more cannot be said
            self.problems.append(f"{HEAD} was changed or damaged")
            return
        if head is not None:
            self.has_head = True
            if self.expected.setdefault(head.seq, head.sha256) != head.sha256:
                self.problems.append(f"{HEAD} differs from what is known elsewhere of entry {head.seq}")

    def line(self, line: bytes) -> None:
        self._number += 1
        self.torn = not line.endswith(b"\n")
        if self.torn:
            return
        content = line[:-1]
        entry = parse(content)
        if entry is None:
            self.problems.append(f"line {self._number} is not an audit entry: it was changed, or put in")
            self.head = Head(self.head.seq + 1, sha256(content))
            return
        self._follow(entry)
        self.head = Head(entry.seq, sha256(content))
        self.entries += 1
        self.repairs += entry.action == REPAIRED
        if self.expected.pop(entry.seq, self.head.sha256) != self.head.sha256:
            self._say(f"entry {entry.seq} is not the one that was written: it or an entry before it was changed")

    def end(self) -> None:
        missing = [seq for seq in self.expected if seq > self.head.seq]
        if missing:
            self.problems.append(
                f"after line {self._number - self.torn} entries {self.head.seq + 1} to {max(missing)} are missing"
            )
        elif self.expected:
            self.problems.append(f"entry {min(self.expected)} is missing")
        if not self.has_head and self.head.seq > FEW:
            self.problems.append(f"{HEAD} is missing: entries may have been removed from the end")

    def _follow(self, entry: Entry) -> None:
        if entry.action == BROKEN:
            self._say(f"the log was changed before it: {HEAD} said {entry.old}, the last line was {entry.new}")
        elif entry.seq > self.head.seq + 1:
            self._say(f"entries {self.head.seq + 1} to {entry.seq - 1} are missing before it")
            return
        elif entry.seq <= self.head.seq:
            self._say(f"entry {entry.seq} stands after entry {self.head.seq}: lines were put in or swapped")
            return
        if entry.prev != self.head.sha256:
            self._say(f"does not follow from the line before: one of the two was changed (entry {entry.seq})")

    def _say(self, problem: str) -> None:
        self.problems.append(f"line {self._number}: {problem}")


def newest(data_root: Path, action: str = "") -> Iterator[Entry]:
    """Newest first, read from the end; of one action, if given."""
    name = (
        json.dumps(action, ensure_ascii=False).encode() if action else b""
    )  # parsing only what can match: 1 s instead of 5 s in 100 MB
    path = log_path(data_root)
    if path.exists():
        with open(path, "rb") as file:
            lines = lines_backwards(file)
            next(lines)
            for entry in map(parse, (line for line in lines if name in line)):
                if entry and action in ("", entry.action):
                    yield entry


def last(data_root: Path, action: str) -> Entry | None:
    """The newest entry of an action."""
    return next(newest(data_root, action), None)


def read_head(path: Path) -> Head | None:
    """What the head beside a log says, None when there is none. Raises ValueError when it was changed or damaged."""
    try:
        value = read_sealed(path.with_name(HEAD))
        return Head(int(value["seq"]), str(value["line_sha256"]))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError) as error:
        raise ValueError(f"{HEAD} is not one") from error


def parse(line: bytes) -> Entry | None:
    """None when it is not an entry."""
    try:
        value = json.loads(line)
        entry = Entry(**{name: value[name] for name in Entry.__dataclass_fields__})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if isinstance(entry.seq, int) else None


def lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """What follows the last line end (empty unless the last line is torn), then the lines, last first."""
    start, rest = file.seek(0, 2), b""
    while start > 0:
        end, start = start, max(0, start - _BLOCK)
        file.seek(start)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from reversed(lines)
    yield rest
