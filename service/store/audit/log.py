"""The append-only `logs/audit.jsonl`: who did what, when and from where; no entry can be changed unnoticed."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from service.errors import DiskFull
from service.store.audit.chain import (
    BROKEN,
    FEW,
    HEAD,
    LOG,
    REPAIRED,
    START,
    Entry,
    Head,
    lines_backwards,
    log_path,
    parse,
    read_head,
)
from service.store.files import file_lock, sha256, sweep_orphans, write_after, write_sealed

log = logging.getLogger(__name__)
_TORN_CHARACTERS = 1000
_REFUSAL = "Audit log: another entry is being written; try again when it has ended."
_WAIT_S = 10.0


class Audit:
    """One per process; threads and processes take turns. `chain` reads what it writes."""

    def __init__(self, data_root: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = log_path(data_root)
        self._lock_file = data_root / "locks" / "audit.lock"
        self._now = now
        self._turn = threading.Lock()  # a file lock is polled; threads of one process need not wait for that
        sweep_orphans(self._path.parent)

    def append(
        self,
        action: str,
        *,
        by: str,
        station: str,
        request_id: str = "",
        target: dict[str, object],
        old: object,
        new: object,
    ) -> None:
        """Returns when the entry is on disk. `target`, `old` and `new` are JSON values.

        The caller sees to it that no value holds an API key or another secret: an entry can never be taken out again.
        Raises DiskFull and Conflict (others have been writing for 10 s); nothing is written then.
        """
        what = Entry(0, "", action, by, station, request_id, target, old, new, "")  # its place comes with the others'
        with self._turn, file_lock(self._lock_file, _REFUSAL, _WAIT_S):
            end = _read_end(self._path)
            written = list(self._lines(end, what))
            write_after(self._path, end.position, b"".join(line + b"\n" for _, line in written))
            self._write_head(Head(written[-1][0], sha256(written[-1][1])))

    def _lines(self, end: _End, what: Entry) -> Iterator[tuple[int, bytes]]:
        """Number and line of the entry, after those that tell what was found and repaired."""
        head = end.head
        for each in (*end.findings, what):
            entry = replace(each, seq=head.seq + 1, time_utc=self._now().isoformat(), prev=head.sha256)
            # lone surrogates (file names that are no Unicode) become JSON escapes
            line = json.dumps(asdict(entry), ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
            head = Head(entry.seq, sha256(line))
            yield entry.seq, line

    def _write_head(self, head: Head) -> None:
        """The entry is on disk already: a log that is ahead of its head is whole, and the next append catches up."""
        try:
            write_sealed(self._path.with_name(HEAD), {"seq": head.seq, "line_sha256": head.sha256})
        except (OSError, DiskFull) as error:
            log.error("audit.head not written", extra={"reason": str(error)})


@dataclass(frozen=True)
class _End:
    """Where the whole lines end, what the next entry follows, and what the log has to say about itself before."""

    position: int
    head: Head
    findings: list[Entry]


def _read_end(path: Path) -> _End:
    """A half line is a power cut's and goes; a log that does not lead back to its head was changed, and says so."""
    if not path.exists():
        return _End(0, *_checked(path, START, iter(())))
    with open(path, "rb") as file:
        lines = lines_backwards(file)
        torn = next(lines)
        position = file.seek(0, os.SEEK_END) - len(torn)
        last = next(lines, None)
        entry = parse(last) if last is not None else None
        found = START if last is None else Head(entry.seq if entry else 0, sha256(last))
        head, findings = _checked(path, found, lines if last is None else chain((last,), lines))
    if torn:
        text = torn.decode("utf-8", "replace")[:_TORN_CHARACTERS]
        findings.append(_finding(REPAIRED, None, {"cut_off": text, "bytes": len(torn)}))
    return _End(position, head, findings)


def _checked(path: Path, found: Head, lines: Iterator[bytes]) -> tuple[Head, list[Entry]]:
    """What the next entry follows. `lines` from the last one back."""
    try:
        said = read_head(path)
    except ValueError:
        said, whole = None, False
    else:
        whole = (said is not None or found.seq <= FEW) and _leads_to(said or START, lines)
    if whole:
        return found, []
    number = max(found.seq, said.seq if said else 0)  # numbers of removed entries are not given again
    return Head(number, found.sha256), [_finding(BROKEN, asdict(said) if said else None, asdict(found))]


def _leads_to(head: Head, lines: Iterator[bytes]) -> bool:
    """Whether the last line is the head's, or follows from it through lines that each follow from the one before."""
    expected = None
    for line in lines:
        digest = sha256(line)
        if expected not in (None, digest):
            return False
        if digest == head.sha256:
            return True
        entry = parse(line)
        if entry is None or entry.seq <= head.seq:
            return False
        expected = entry.prev
    return head == START and expected in (None, START.sha256)


def _finding(action: str, old: object, new: object) -> Entry:
    return Entry(0, "", action, "service", "", "", {"file": LOG}, old, new, "")
