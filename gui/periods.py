"""Periods on this PC's clock: today, this shift, the last 24 hours or 7 days, or a range of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PERIODS = ("shift", "today", "hours24", "days7", "own")


@dataclass(frozen=True)
class Period:
    """Moments with a time zone. `until` itself is outside the period; None: until now."""

    since: datetime
    until: datetime | None = None

    @property
    def since_utc(self) -> str:
        return self.since.astimezone(UTC).isoformat()

    @property
    def until_utc(self) -> str | None:
        return self.until.astimezone(UTC).isoformat() if self.until else None


def period(name: str, now: datetime, shifts: Sequence[int], since: str = "", until: str = "") -> Period:
    """`since`, `until` ("2026-03-01T06:00", local) are for the period "own". Raises ValueError."""
    if name == "own":
        return _own(since, until)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {
        "today": midnight,
        "shift": shift_start(now, shifts),
        "hours24": now - timedelta(hours=24),
        "days7": midnight - timedelta(days=6),
    }
    return Period(_on_this_clock(starts[name]))


def shift_start(now: datetime, shifts: Sequence[int]) -> datetime:
    """The begin of the shift that runs at `now`; a night shift began yesterday."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    # without shifts, the day is one; yesterday too, because before the first shift its last one still runs
    hours = shifts or (0,)
    begins = [midnight + timedelta(days=day, hours=hour) for day in (-1, 0) for hour in hours]
    return _on_this_clock(max(moment for moment in begins if moment <= now.replace(tzinfo=None)))


def _own(since: str, until: str) -> Period:
    begin = _on_this_clock(datetime.fromisoformat(since))
    end = _on_this_clock(datetime.fromisoformat(until)) if until else None
    if end is not None and end <= begin:
        raise ValueError("the range ends before it begins")
    return Period(begin, end)


def _on_this_clock(moment: datetime) -> datetime:
    """With the offset of that day, because a week may hold a change of the clock."""
    return moment.replace(tzinfo=None).astimezone()
