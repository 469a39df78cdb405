"""`records.sqlite`: inspected ROIs and whole frames, and which jobs ran. SQLite in WAL mode through SQLAlchemy Core.

The schema's number stands in `PRAGMA user_version`; `MIGRATIONS` leads from one to the next.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from service.errors import DatabaseUnusable, DiskFull, NotFound, NotReady, Problem

metadata = sa.MetaData()

inspections = sa.Table(
    "inspections",
    metadata,
    sa.Column("inspection_id", sa.String, primary_key=True),
    sa.Column("time_utc", sa.String, nullable=False, index=True),
    sa.Column("role_id", sa.String, nullable=False),
    sa.Column("roi_id", sa.String, nullable=False),
    sa.Column("part_id", sa.String),
    sa.Column("verdict", sa.String),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("threshold", sa.Float),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("mm_per_px", sa.Float, nullable=False),
    sa.Column("request_id", sa.String, nullable=False),
    sa.Column("key_name", sa.String),
    sa.Column("station", sa.String),
    sa.Column("image_sha256", sa.String, nullable=False),
    sa.Column("image_name", sa.String),
    sa.Column("regions", sa.JSON, nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("timings_ms", sa.JSON, nullable=False),
    sa.Column("frame_id", sa.String, index=True),
    sa.Index("inspections_by_roi", "role_id", "roi_id", "time_utc"),
    sa.Index("inspections_by_part", "part_id"),
)

frames = sa.Table(
    "frames",
    metadata,
    sa.Column("frame_id", sa.String, primary_key=True),
    sa.Column("time_utc", sa.String, nullable=False, index=True),
    sa.Column("role_id", sa.String, nullable=False),
    sa.Column("part_id", sa.String),
    sa.Column("verdict", sa.String),
    sa.Column("problem_code", sa.String),
    sa.Column("problem_detail", sa.String),
    sa.Column("layout_revision", sa.Integer),
    sa.Column("alignment", sa.JSON(none_as_null=True)),
    sa.Column("n_rois", sa.Integer, nullable=False),
    sa.Column("n_ng", sa.Integer, nullable=False),
    sa.Column("request_id", sa.String, nullable=False),
    sa.Column("key_name", sa.String),
    sa.Column("station", sa.String),
    sa.Column("image_sha256", sa.String, nullable=False),
    sa.Column("image_name", sa.String),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("timings_ms", sa.JSON, nullable=False),
    sa.Index("frames_by_role", "role_id", "time_utc"),
    sa.Index("frames_by_part", "part_id"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("progress", sa.Float, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("created_utc", sa.String, nullable=False),
    sa.Column("ended_utc", sa.String),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("problem", sa.JSON),
)

# Bytes SQLite needs beside the database before it opens it.
LITTLE_ROOM = 100_000
SCHEMA = 3
MIGRATIONS: dict[int, list[str]] = {  # from schema n: the statements that make it n + 1
    1: ["ALTER TABLE inspections ADD COLUMN station VARCHAR"],
    2: [
        "ALTER TABLE inspections ADD COLUMN frame_id VARCHAR",
        "CREATE INDEX ix_inspections_frame_id ON inspections (frame_id)",
        "CREATE TABLE frames (frame_id VARCHAR NOT NULL PRIMARY KEY, time_utc VARCHAR NOT NULL, "
        "role_id VARCHAR NOT NULL, part_id VARCHAR, verdict VARCHAR, problem_code VARCHAR, problem_detail VARCHAR, "
        "layout_revision INTEGER, alignment JSON, n_rois INTEGER NOT NULL, n_ng INTEGER NOT NULL, "
        "request_id VARCHAR NOT NULL, key_name VARCHAR, station VARCHAR, image_sha256 VARCHAR NOT NULL, "
        "image_name VARCHAR, width INTEGER, height INTEGER, timings_ms JSON NOT NULL)",
        "CREATE INDEX ix_frames_time_utc ON frames (time_utc)",
        "CREATE INDEX frames_by_role ON frames (role_id, time_utc)",
        "CREATE INDEX frames_by_part ON frames (part_id)",
    ],
}


def open_database(path: Path) -> sa.Engine:
    """Create or migrate the database. Raises DatabaseUnusable (damaged, or of a newer version), DiskFull."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})
    sa.event.listen(engine, "connect", _set_pragmas)
    try:
        with engine.connect() as connection:
            # one process creates or migrates; others wait for the lock and then find the work done
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _migrate(connection, path)
            connection.commit()
    except sa.exc.DatabaseError as error:
        engine.dispose()
        if shutil.disk_usage(path.parent).free < LITTLE_ROOM:  # SQLite calls it an I/O error
            raise _full() from error
        raise named(error) from error
    return engine


def row_of(engine: sa.Engine, key: sa.Column[str], name: str, missing: str) -> sa.RowMapping:
    """The row with that key. Raises NotFound, which says `missing`."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(key.table).where(key == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(missing)
    return row


def matching(
    table: sa.Table, since: str | None, before: str | None, **equal: str | None
) -> list[sa.ColumnElement[bool]]:
    """Conditions of a record in a period, and with these values; what is None or empty does not count."""
    found = [table.c[name] == value for name, value in equal.items() if value]
    found += [table.c.time_utc >= since] if since else []
    return found + ([table.c.time_utc < before] if before else [])


@contextmanager
def errors_named() -> Iterator[None]:
    """Raises what `named` makes of an error of the database."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise named(error) from error


def named(error: sa.exc.DBAPIError) -> Problem:
    """The SQLite error as one a person can act on."""
    text = str(error.orig)
    if "full" in text:
        return _full()
    if "locked" in text:
        return NotReady("Another program holds records.sqlite locked: try again; if it lasts, close that program.")
    return DatabaseUnusable(f"records.sqlite cannot be used ({text}): restore a backup, or move the file away.")


def _full() -> DiskFull:
    return DiskFull("The disk of the data root is full: free some space; the record could not be written.")


def _set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a verdict that left survives a power cut


def _migrate(connection: sa.Connection, path: Path) -> None:
    schema = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if schema > SCHEMA:
        raise DatabaseUnusable(
            f"{path.name} was written by a newer version (schema {schema}, this one knows {SCHEMA}): "
            "update the program, or restore a backup made with this version."
        )
    if schema == 0:
        metadata.create_all(connection)
    for step in range(schema or SCHEMA, SCHEMA):
        for statement in MIGRATIONS[step]:
            connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA}")
