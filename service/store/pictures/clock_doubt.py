"""Was the clock set forward? Then every picture would be too old at once.

A clock set back makes nothing old. One set forward leaves a gap in the days that have inspections, as a
shut-down of the plant does; nobody can tell the two apart. So after a gap the clock is in doubt until inspections have
gone on for a week: with a wrong clock that is the time to notice it, after a shut-down pictures stay a week longer.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from service.store.pictures.kept import Day
from service.store.records.database import inspections, named

# The gap is a third of the days for which pictures stay: a smaller jump makes only some of them too old.
_SHORTEST_GAP_DAYS, _LONGEST_GAP_DAYS = 3, 30
_PATIENCE_DAYS = 7


def is_in_doubt(engine: sa.Engine, kept: list[Day], today: date, keep_days: int) -> bool:
    """Going back day by day from today, a gap comes before a week (or the first inspection of all) is reached."""
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
    try:
        with engine.connect() as connection:
            recorded: str = connection.execute(latest).scalar_one() or ""
    except sa.exc.DBAPIError as error:
        raise named(error) from error
    newest = max((each.name for each in kept if each.name < name), default="")
    found = max(newest, recorded[:8])
    return date.fromisoformat(found) if found else None
