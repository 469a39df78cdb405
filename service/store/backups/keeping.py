"""Chooses the backups that stay: 7 daily, 4 weekly, 6 monthly, all of the last day, the newest of every version."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta

DAILY, WEEKLY, MONTHLY = 7, 4, 6
RECENT = timedelta(days=1)  # two made before and after some work are not the same
Kept = tuple[datetime, str, str]  # when, by which version, name


def surplus(backups: Sequence[Kept]) -> list[str]:
    """Names of those that may go. Days, ISO weeks and months are local ones, and only those with a backup count."""
    newest_first = sorted(backups, reverse=True)
    kept = {name for when, _, name in newest_first if newest_first[0][0] - when < RECENT}
    kept |= _newest_of(newest_first, lambda when, _: when.astimezone().date(), DAILY)
    kept |= _newest_of(newest_first, lambda when, _: when.astimezone().isocalendar()[:2], WEEKLY)
    kept |= _newest_of(newest_first, lambda when, _: (when.astimezone().year, when.astimezone().month), MONTHLY)
    kept |= _newest_of(newest_first, lambda _, version: version, len(newest_first))
    return [name for _, _, name in newest_first if name not in kept]


def _newest_of(newest_first: Sequence[Kept], period: Callable[[datetime, str], Hashable], count: int) -> set[str]:
    """The newest of each of the latest `count` periods."""
    names: dict[Hashable, str] = {}
    for when, version, name in newest_first:
        names.setdefault(period(when, version), name)
    return set(list(names.values())[:count])
