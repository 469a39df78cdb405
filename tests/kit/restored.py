"""Contents of a data root, and the backup in it."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

STATES = ("datasets", "models", "settings.env")


def content(data_root: Path) -> dict[str, bytes]:
    """Everything a restore replaces, but for the database."""
    return {
        path.relative_to(data_root).as_posix(): path.read_bytes()
        for part in STATES
        for path in [data_root / part, *(data_root / part).rglob("*")]
        if path.is_file()
    }


def inspections(data_root: Path) -> set[str]:
    with closing(sqlite3.connect(data_root / "records.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row[0] for row in database.execute("SELECT inspection_id FROM inspections")}


def the_backup(data_root: Path) -> Path:
    return next((data_root / "backups").glob("*.gz"))


posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")
