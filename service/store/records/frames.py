"""The record of whole frames: one row for every part that was shown to `/inspect`, judged or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.contract.frames import FramesOfHour, FramesOfRoi
from service.store.records.database import frames, inspections, matching, row_of

_HOUR = 13  # how long the beginning of an ISO 8601 time is that names the hour


@dataclass(frozen=True)
class FrameRecord:
    """`verdict` None: the part could not be judged, `problem_code` and `problem_detail` say why."""

    frame_id: str
    time_utc: str
    role_id: str
    part_id: str | None
    verdict: str | None
    request_id: str
    key_name: str | None
    station: str | None
    image_sha256: str
    image_name: str | None
    problem_code: str | None = None
    problem_detail: str | None = None
    layout_revision: int | None = None
    alignment: dict[str, Any] | None = None
    n_rois: int = 0
    n_ng: int = 0
    width: int | None = None
    height: int | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameFilter:
    """What to find; None finds all. `verdict` is OK, NG or ERROR. Times are ISO 8601 in UTC, `before` excluded."""

    role_id: str | None = None
    part_id: str | None = None
    verdict: str | None = None
    since: str | None = None
    before: str | None = None


class Frames:
    """Reads what `Records` writes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, which: FrameFilter, limit: int, offset: int = 0) -> tuple[int, list[FrameRecord]]:
        """Total number and one page, latest first."""
        conditions = _conditions(which)
        page = sa.select(frames).where(*conditions).order_by(frames.c.frame_id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(frames).where(*conditions)).scalar_one()
            return total, [FrameRecord(**row._mapping) for row in connection.execute(page)]

    def get(self, frame_id: str) -> FrameRecord:
        missing = f"No frame {frame_id!r}; GET /frames lists them."
        return FrameRecord(**row_of(self._engine, frames.c.frame_id, frame_id, missing))

    def provisional(self, frame_ids: Sequence[str]) -> set[str]:
        """Those of them in which the verdict of an ROI is provisional."""
        asked = sa.select(inspections.c.frame_id).where(
            inspections.c.frame_id.in_(frame_ids), inspections.c.params["provisional"].as_boolean()
        )
        with self._engine.connect() as connection:
            return set(connection.execute(asked).scalars())

    def by_hour(self, which: FrameFilter) -> list[FramesOfHour]:
        """By the hour they began, in UTC; oldest first."""
        hour = sa.func.substr(frames.c.time_utc, 1, _HOUR)
        counted = sa.select(hour, *_COUNTED).where(*_conditions(which)).group_by(hour).order_by(hour)
        with self._engine.connect() as connection:
            return [
                FramesOfHour(start_utc=f"{hour}:00:00+00:00", n=n, n_ng=n_ng, n_error=n_error)
                for hour, n, n_ng, n_error in connection.execute(counted)
            ]

    def by_roi(self, which: FrameFilter) -> list[FramesOfRoi]:
        """How many frames each ROI was judged in, and in how many it was NG; the worst first."""
        ng = sa.func.count().filter(inspections.c.verdict == "NG")
        counted = (
            sa.select(inspections.c.roi_id, sa.func.count(), ng)
            .join_from(frames, inspections, inspections.c.frame_id == frames.c.frame_id)
            .where(*_conditions(which))
            .group_by(inspections.c.roi_id)
            .order_by(ng.desc(), inspections.c.roi_id)
        )
        with self._engine.connect() as connection:
            return [FramesOfRoi(roi_id=roi_id, n=n, n_ng=n_ng) for roi_id, n, n_ng in connection.execute(counted)]


_COUNTED = (
    sa.func.count(),
    sa.func.count().filter(frames.c.verdict == "NG"),
    sa.func.count().filter(frames.c.verdict.is_(None)),
)


def _conditions(which: FrameFilter) -> list[sa.ColumnElement[bool]]:
    verdict = None if which.verdict == "ERROR" else which.verdict
    found = matching(frames, which.since, which.before, role_id=which.role_id, part_id=which.part_id, verdict=verdict)
    return [*found, frames.c.verdict.is_(None)] if which.verdict == "ERROR" else found
