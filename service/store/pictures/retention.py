"""Removes old pictures by age, by total size and by free disk space; never the records of the inspections.

- By days: OK pictures after `ok_days`, all others (NG, without verdict, without a record) after `ng_days`.
- By size and by free disk: the oldest OK pictures until there is room, then the oldest others; never one of the last
  24 hours, however full the disk: what fills it may be somebody else's files.

The age stands in an inspection's id, in UTC. Nothing goes by age while the clock is in doubt (`clock_doubt.py`).
Size and free disk go by order, not by age, and delete only what makes room.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from service.store.files import sweep_orphans
from service.store.pictures.kept import Day, Picture, days, pictures
from service.store.records.database import errors_named, frames, inspections

_YOUNG_DAYS = 1
_FOR_EVER = 36_500  # days; a datetime cannot go back much further
# A gap in the days with inspections that puts the clock in doubt: a third of the days for which pictures stay, because
# a smaller jump makes only some of them too old. Inspections on this many days since then end the doubt.
_SHORTEST_GAP_DAYS, _LONGEST_GAP_DAYS, _PATIENCE_DAYS = 3, 30, 7


@dataclass(frozen=True)
class Rules:
    ok_days: int
    ng_days: int
    max_bytes: int
    """Of all kept pictures together; 0 = no limit."""
    free_percent: float


@dataclass
class Tally:
    """Counts of removed pictures by reason (`age`, `size`, `free_disk`)."""

    pictures: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    in_use: set[str] = field(default_factory=set)
    """Inspections whose files could not be deleted, as when a viewer holds them open; tried again the next time."""
    clock_doubted: bool = False

    def as_fields(self) -> dict[str, object]:
        """For one log line."""
        counts = {f"{reason}_pictures": number for reason, number in self.pictures.items()}
        sizes = {f"{reason}_bytes": number for reason, number in self.bytes.items()}
        return {**counts, **sizes, "in_use": len(self.in_use), "clock_doubted": self.clock_doubted}


class _Span(NamedTuple):
    """OK pictures before the first, any before the second: the ids' beginnings, which sort as the times do."""

    ok_before: str
    any_before: str


class DiskUsage(Protocol):
    @property
    def total(self) -> int: ...
    @property
    def free(self) -> int: ...


class Retention:
    """Kept over the runs of a process: it remembers which days hold no OK picture any more, and how large days are."""

    def __init__(
        self,
        data_root: Path,
        engine: sa.Engine,
        rules: Rules,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        disk_usage: Callable[[Path], DiskUsage] = shutil.disk_usage,
    ) -> None:
        self._data_root = data_root
        self._engine = engine
        self._rules = rules
        self._now = now
        self._disk_usage = disk_usage
        self._without_ok: set[str] = set()
        self._sizes: dict[str, tuple[int, int]] = {}

    def run(self, limit: int = 200) -> Iterator[Tally]:
        """One pass in steps of at most `limit` pictures: pause between them. Each yields the same tally, growing.

        Raises Problem when the database cannot be read; nothing is deleted by guess then.
        """
        tally, now = Tally(), self._now().astimezone(UTC)
        for _ in chain(self._by_age(now, tally, limit), self._by_room(now, tally, limit)):
            yield tally
        yield tally

    def _by_age(self, now: datetime, tally: Tally, limit: int) -> Iterator[None]:
        found = days(self._data_root)
        span = _Span(_stamp(now, self._rules.ok_days), _stamp(now, max(self._rules.ok_days, self._rules.ng_days)))
        due = [day for day in found if day.name < span.ok_before]
        if due and is_in_doubt(self._engine, found, now.date(), self._rules.ok_days):
            tally.clock_doubted = True
            return
        for day in due:
            yield from self._clean(day, span, lambda: "age", tally, limit)

    def _by_room(self, now: datetime, tally: Tally, limit: int) -> Iterator[None]:
        usage = self._disk_usage(self._data_root)
        # measured once: some file systems free space late, and what others write meanwhile is the next run's matter
        lacking = int(usage.total * self._rules.free_percent / 100) - usage.free
        too_much = (yield from self._total_bytes()) - self._rules.max_bytes if self._rules.max_bytes else 0

        def reason() -> str | None:
            removed = tally.bytes["size"] + tally.bytes["free_disk"]
            return "size" if removed < too_much else "free_disk" if removed < lacking else None

        before = _stamp(now, _YOUNG_DAYS)
        for span in (_Span(before, ""), _Span(before, before)):
            for day in days(self._data_root):
                if reason() is None or day.name > before:
                    break
                yield from self._clean(day, span, reason, tally, limit)

    def _clean(
        self, day: Day, span: _Span, reason: Callable[[], str | None], tally: Tally, limit: int
    ) -> Iterator[None]:
        """Remove what of a day is due, until there is no reason any more."""
        if day.name in self._without_ok and span.any_before <= day.name:
            return
        over = day.name < span.ok_before[:8]
        due = [picture for picture in _pictures(day, sweep=over) if picture.inspection_id < span.ok_before]
        for first in range(0, max(1, len(due)), limit):
            for picture in self._chosen(due[first : first + limit], span.any_before):
                why = reason()
                if why is None:
                    return
                _delete(picture, why, tally)
            yield
        if over:
            if not any(inspection_id.startswith(day.name) for inspection_id in tally.in_use):
                self._without_ok.add(day.name)
            self._remove_empty(day)

    def _chosen(self, some: list[Picture], any_before: str) -> Iterator[Picture]:
        asked = [picture.inspection_id for picture in some if picture.inspection_id >= any_before]
        good = self._good(asked) if asked else set()
        return (picture for picture in some if picture.inspection_id < any_before or picture.inspection_id in good)

    def _good(self, inspection_ids: list[str]) -> set[str]:
        """Of inspections and of frames: their ids are made alike, and their pictures lie in the same folders."""
        of_rois = sa.select(inspections.c.inspection_id).where(
            inspections.c.inspection_id.in_(inspection_ids), inspections.c.verdict == "OK"
        )
        of_frames = sa.select(frames.c.frame_id).where(frames.c.frame_id.in_(inspection_ids), frames.c.verdict == "OK")
        with errors_named(), self._engine.connect() as connection:
            return set(connection.execute(of_rois.union_all(of_frames)).scalars())

    def _total_bytes(self) -> Generator[None, None, int]:
        """Of all kept pictures. A day is counted again only when files came to its folder or went from it."""
        total = 0
        for day in days(self._data_root):
            with suppress(OSError):  # it went meanwhile
                changed = day.folder.stat().st_mtime_ns
                if self._sizes.get(day.name, (0, 0))[0] != changed:
                    self._sizes[day.name] = (changed, sum(picture.bytes for picture in pictures(day)))
                    yield
                total += self._sizes[day.name][1]
        return total

    def _remove_empty(self, day: Day) -> None:
        today = self._now().astimezone(UTC).date()
        in_use = (self._data_root / "inspections" / f"{today:%Y}" / f"{today:%m}" / f"{today:%d}").parents
        for folder in (day.folder, *day.folder.parents[:2]):
            if folder in in_use:
                return
            try:
                folder.rmdir()
            except OSError:  # not empty
                return


def _pictures(day: Day, *, sweep: bool) -> list[Picture]:
    """None when the folder cannot be read, or went meanwhile."""
    with suppress(OSError):
        if sweep:  # nobody writes there any more
            sweep_orphans(day.folder)
    try:
        return pictures(day)
    except OSError:
        return []


def _delete(picture: Picture, reason: str, tally: Tally) -> None:
    """The picture first: when somebody has it open, its heat map stays, too."""
    try:
        for path, size in picture.files:
            path.unlink(missing_ok=True)
            tally.bytes[reason] += size
    except OSError:
        tally.in_use.add(picture.inspection_id)
    else:
        tally.in_use.discard(picture.inspection_id)
        tally.pictures[reason] += 1


def _stamp(now: datetime, days_before: int) -> str:
    """How the ids of that moment begin; 24 hours before now at the latest."""
    moment = now - timedelta(days=max(_YOUNG_DAYS, min(days_before, _FOR_EVER)))
    return f"{moment:%Y%m%dT%H%M%S%f}"


def is_in_doubt(engine: sa.Engine, kept: list[Day], today: date, keep_days: int) -> bool:
    """Was the clock set forward? Then every picture would be too old at once.

    A clock that is set forward leaves a gap in the days with inspections, as a shut-down of the plant does; nobody can
    tell the two apart. So the clock is in doubt when, going back day by day, a gap comes before a week of inspections
    or the first of all. With a wrong clock that is the time to notice it; after a shut-down pictures stay a week more.
    """
    gap = max(_SHORTEST_GAP_DAYS, min(_LONGEST_GAP_DAYS, keep_days // 3))
    patience = min(_PATIENCE_DAYS, gap)  # where parts are rare, the last one before a gap alone suffices
    reached = today
    while (today - reached).days < patience:
        before = _day_before(engine, kept, reached)
        if before is None:
            return False
        if (reached - before).days > gap:
            return True
        reached = before
    return False


def _day_before(engine: sa.Engine, kept: list[Day], day: date) -> date | None:
    """The latest day before it that has a record or a picture. Raises Problem when the database cannot be read."""
    name = f"{day:%Y%m%d}"
    latest = sa.select(sa.func.max(inspections.c.inspection_id)).where(inspections.c.inspection_id < name)
    with errors_named(), engine.connect() as connection:
        recorded: str = connection.execute(latest).scalar_one() or ""
    newest = max((each.name for each in kept if each.name < name), default="")
    found = max(newest, recorded[:8])
    return date.fromisoformat(found) if found else None
