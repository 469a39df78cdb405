"""Periods of the history on this PC's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gui.periods import period

NOW = datetime(2026, 3, 4, 3, 30).astimezone()
SHIFTS = (6, 14, 22)


def begins(name: str, now: datetime = NOW) -> datetime:
    return period(name, now, SHIFTS).since


def test_the_night_shift_began_yesterday() -> None:
    assert begins("shift") == datetime(2026, 3, 3, 22).astimezone()


def test_a_shift_begins_at_its_hour() -> None:
    assert begins("shift", NOW.replace(hour=6, minute=0)) == datetime(2026, 3, 4, 6).astimezone()


def test_today_begins_at_midnight_and_seven_days_hold_today() -> None:
    assert begins("today") == datetime(2026, 3, 4).astimezone()
    assert begins("days7") == datetime(2026, 2, 26).astimezone()


def test_the_last_24_hours_end_now() -> None:
    assert NOW - begins("hours24") == timedelta(hours=24)


def test_an_own_range_is_local_time_and_goes_to_the_service_as_utc() -> None:
    found = period("own", NOW, SHIFTS, "2026-03-01T06:00", "2026-03-01T14:00")
    assert datetime.fromisoformat(found.since_utc) == datetime(2026, 3, 1, 6).astimezone(UTC)
    assert found.until_utc is not None
    assert datetime.fromisoformat(found.until_utc).utcoffset() == timedelta(0)


@pytest.mark.parametrize(("since", "until"), [("", ""), ("x", ""), ("2026-03-02", "2026-03-01"), ("2026-03-02", "y")])
def test_an_own_range_that_is_none_is_refused(since: str, until: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|ends before"):
        period("own", NOW, SHIFTS, since, until)
