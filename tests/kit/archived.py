"""A data root with pictures and records of chosen days and sizes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from service.store.pictures.kept import days, pictures
from service.store.pictures.retention import Retention, Rules, Tally
from service.store.records.database import inspections, open_database
from service.store.records.inspections import Record, new_inspection_id

Usage = namedtuple("Usage", ["total", "free"])
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEEP_ALL = Rules(ok_days=10_000, ng_days=10_000, max_bytes=0, free_percent=0)


class Archived:
    """A data root with pictures of 1000 bytes and heat maps of 500, and the clock that retention looks at."""

    def __init__(self, data_root: Path) -> None:
        self.data_root = data_root
        self.engine = open_database(data_root / "records.sqlite")
        self.now = NOW

    def add(self, age_days: float, verdict: str | None = "OK", *, heatmap: bool = True, row: bool = True) -> str:
        inspection_id = new_inspection_id(NOW - timedelta(days=age_days))
        if row:
            self.record(inspection_id, verdict)
        self.path(inspection_id).parent.mkdir(parents=True, exist_ok=True)
        self.path(inspection_id).write_bytes(bytes(1000))
        if heatmap:
            self.path(inspection_id, "heatmap.png").write_bytes(bytes(500))
        return inspection_id

    def record(self, inspection_id: str, verdict: str | None = "OK") -> None:
        row = Record(inspection_id, "t", "disc", "ring", None, verdict, 1.0, 2.0, 1, 0.1, "r", None, "0", None)
        with self.engine.begin() as connection:
            connection.execute(sa.insert(inspections), [asdict(row)])

    def path(self, inspection_id: str, kind: str = "image") -> Path:
        day = inspection_id[:4], inspection_id[4:6], inspection_id[6:8]
        return self.data_root.joinpath("inspections", *day, f"{inspection_id}.{kind}")

    def retention(self, rules: Rules, usage: Callable[[Path], Usage] = lambda _: Usage(100_000, 100_000)) -> Retention:
        return Retention(self.data_root, self.engine, rules, now=lambda: self.now, disk_usage=usage)

    def left(self) -> list[str]:
        return [picture.inspection_id for day in days(self.data_root) for picture in pictures(day)]

    def rows(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(inspections)).scalar_one()


def run(retention: Retention, limit: int = 200) -> Tally:
    return list(retention.run(limit))[-1]
