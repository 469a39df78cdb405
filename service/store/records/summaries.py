"""Counts of the inspections of a period, made by the database: by ROI, and over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.contract.inspections import RoiCounts, TrendPoint
from service.store.records.database import inspections
from service.store.records.inspections import RecordFilter, conditions

_AT = sa.func.julianday(inspections.c.time_utc)  # days
_NG = sa.func.count().filter(inspections.c.verdict == "NG")


class Summaries:
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def by_roi(self, which: RecordFilter) -> list[RoiCounts]:
        """By role and ROI."""
        columns = inspections.c
        counted = (
            sa.select(
                columns.role_id,
                columns.roi_id,
                sa.func.count(),
                sa.func.count().filter(columns.verdict == "OK"),
                _NG,
                sa.func.avg(columns.score),
            )
            .where(*conditions(which))
            .group_by(columns.role_id, columns.roi_id)
            .order_by(columns.role_id, columns.roi_id)
        )
        with self._engine.connect() as connection:
            found = []
            for row in connection.execute(counted):
                p95, threshold = self._more(connection, which, *row[:3])
                counts = dict(zip(("role_id", "roi_id", "n", "n_ok", "n_ng", "score_mean"), row, strict=True))
                found.append(RoiCounts(**counts, score_p95=p95, threshold=threshold))
            return found

    def ok_mean(self, which: RecordFilter, model_version: int) -> tuple[int, float | None]:
        """How many parts that version called OK, and their mean score."""
        counted = sa.select(sa.func.count(), sa.func.avg(inspections.c.score)).where(
            *conditions(which), inspections.c.verdict == "OK", inspections.c.model_version == model_version
        )
        with self._engine.connect() as connection:
            n, mean = connection.execute(counted).one()
            return n, mean

    def trend(self, which: RecordFilter, since: datetime, before: datetime, buckets: int) -> list[TrendPoint]:
        """In equal parts of a period; those with inspections, oldest first."""
        begin, end = sa.func.julianday(since.isoformat()), sa.func.julianday(before.isoformat())
        number = sa.cast((_AT - begin) * buckets / (end - begin), sa.Integer)
        columns = inspections.c
        counted = (
            sa.select(
                number,
                columns.role_id,
                columns.roi_id,
                sa.func.count(),
                _NG,
                sa.func.avg(columns.score),
                sa.func.max(columns.score),
            )
            .where(*conditions(which))
            .group_by(number, columns.role_id, columns.roi_id)
            .order_by(number, columns.role_id, columns.roi_id)
        )
        with self._engine.connect() as connection:
            return [_point(since, (before - since) / buckets, buckets, *row) for row in connection.execute(counted)]

    def first(self, which: RecordFilter) -> str | None:
        """When the oldest of them was inspected."""
        with self._engine.connect() as connection:
            oldest = sa.select(sa.func.min(inspections.c.time_utc)).where(*conditions(which))
            found: str | None = connection.execute(oldest).scalar_one()
            return found

    def _more(
        self, connection: sa.Connection, which: RecordFilter, role_id: str, roi_id: str, n: int
    ) -> tuple[float, float | None]:
        """The score that 95 % of them do not exceed, and the latest threshold."""
        columns = inspections.c
        here = [*conditions(which), columns.role_id == role_id, columns.roi_id == roi_id]
        rank = max(0, -(-n * 95 // 100) - 1)  # nearest rank
        p95 = sa.select(columns.score).where(*here).order_by(columns.score).offset(rank).limit(1)
        latest = sa.select(columns.threshold).where(*here).order_by(columns.inspection_id.desc()).limit(1)
        return connection.execute(p95).scalar_one(), connection.execute(latest).scalar_one()


def _point(since: datetime, width: timedelta, buckets: int, number: int, *row: Any) -> TrendPoint:
    names = ("role_id", "roi_id", "n", "n_ng", "score_mean", "score_max")
    start = since + width * min(number, buckets - 1)
    return TrendPoint(start_utc=start.isoformat(), **dict(zip(names, row, strict=True)))
