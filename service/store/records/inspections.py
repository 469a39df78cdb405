"""The record of every inspection, of an ROI or a whole frame. A verdict leaves only after its record is committed."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from service.errors import TooLate
from service.store.records.database import frames, inspections, matching, named, row_of
from service.store.records.frames import FrameRecord

Order = Literal["newest", "oldest", "score"]


@dataclass(frozen=True)
class Record:
    inspection_id: str
    time_utc: str
    role_id: str
    roi_id: str
    part_id: str | None
    verdict: str | None
    score: float
    threshold: float | None
    model_version: int
    mm_per_px: float
    request_id: str
    key_name: str | None
    image_sha256: str
    image_name: str | None
    regions: list[dict[str, Any]] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    timings_ms: dict[str, float] = field(default_factory=dict)
    station: str | None = None
    frame_id: str | None = None


@dataclass(frozen=True)
class _Waiting:
    """Records that are committed together: a frame and its ROIs, or one ROI."""

    records: Sequence[Record]
    frame: FrameRecord | None
    done: Future[None] = field(default_factory=Future)


@dataclass(frozen=True)
class RecordFilter:
    """What to find; None finds all. Times are ISO 8601 in UTC, `before` excluded."""

    role_id: str | None = None
    roi_id: str | None = None
    part_id: str | None = None
    verdict: str | None = None
    since: str | None = None
    before: str | None = None
    frame_id: str | None = None
    min_score: float | None = None
    max_score: float | None = None


def new_inspection_id(now: datetime) -> str:
    """Sorts by time and names the day's folder: `20261123T071455123456-3f9a1c2d`."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"


class Records:
    """One writer thread: records that wait together share a transaction, so that a slow disk costs them one sync."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_forever, name="records", daemon=True)
        self._writer.start()

    def add(self, record: Record, timeout_s: float = 30.0) -> None:
        """Returns when the record is on disk. Raises DiskFull, DatabaseUnusable, TooLate."""
        self.wait_for(self.hand_in(record), timeout_s)

    def hand_in(self, record: Record) -> Future[None]:
        """Start writing a record; the caller must `wait_for` it before anybody is answered."""
        return self._hand_in(_Waiting([record], None))

    def hand_in_frame(self, frame: FrameRecord, records: Sequence[Record]) -> Future[None]:
        """A frame and its ROIs: all of them are written, or none. The caller must `wait_for` it."""
        return self._hand_in(_Waiting(records, frame))

    def wait_for(self, done: Future[None], timeout_s: float = 30.0) -> None:
        """Returns when the record is on disk. Raises DiskFull, DatabaseUnusable, TooLate."""
        try:
            done.result(timeout_s)
        except TimeoutError:
            raise TooLate(f"The record was not written within {timeout_s:g} s: the disk is too slow.") from None

    def find(
        self, which: RecordFilter, limit: int, offset: int = 0, order: Order = "newest"
    ) -> tuple[int, list[Record]]:
        """Total number and one page; `score`: the highest first."""
        found = conditions(which)
        page = sa.select(inspections).where(*found).order_by(*_ORDERS[order])
        with self._engine.connect() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(inspections).where(*found))
            rows = connection.execute(page.limit(limit).offset(offset))
            return total.scalar_one(), [Record(**row._mapping) for row in rows]

    def stream(self, which: RecordFilter) -> Iterator[Record]:
        """All that match, oldest first, without holding them in memory."""
        everything = sa.select(inspections).where(*conditions(which)).order_by(inspections.c.inspection_id)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=500).execute(everything):
                yield Record(**row._mapping)

    def get(self, inspection_id: str) -> Record:
        missing = f"No inspection {inspection_id!r}; GET /inspections lists them."
        return Record(**row_of(self._engine, inspections.c.inspection_id, inspection_id, missing))

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._waiting.put(None)
        self._writer.join()

    def _hand_in(self, waiting: _Waiting) -> Future[None]:
        self._waiting.put(waiting)
        return waiting.done

    def _write_forever(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, closing = [first], False
            while not self._waiting.empty() and len(batch) < 256:
                item = self._waiting.get()
                if item is None:
                    closing = True
                    break
                batch.append(item)
            self._write(batch)
            if closing:
                return

    def _write(self, batch: list[_Waiting]) -> None:
        records = [asdict(record) for waiting in batch for record in waiting.records]
        whole = [asdict(waiting.frame) for waiting in batch if waiting.frame]
        try:
            with self._engine.begin() as connection:
                if records:
                    connection.execute(sa.insert(inspections), records)
                if whole:
                    connection.execute(sa.insert(frames), whole)
        except BaseException as error:  # handed to those who wait; nothing is swallowed
            reason = named(error) if isinstance(error, sa.exc.DBAPIError) else error
            for waiting in batch:
                waiting.done.set_exception(reason)
        else:
            for waiting in batch:
                waiting.done.set_result(None)


_ORDERS: dict[Order, list[sa.ColumnElement[Any]]] = {
    "newest": [inspections.c.inspection_id.desc()],
    "oldest": [inspections.c.inspection_id],
    "score": [inspections.c.score.desc(), inspections.c.inspection_id.desc()],
}


def conditions(which: RecordFilter) -> list[sa.ColumnElement[bool]]:
    names = ("role_id", "roi_id", "part_id", "verdict", "frame_id")
    found = matching(inspections, which.since, which.before, **{name: getattr(which, name) for name in names})
    if which.min_score is not None:
        found.append(inspections.c.score >= which.min_score)
    if which.max_score is not None:
        found.append(inspections.c.score <= which.max_score)
    return found
