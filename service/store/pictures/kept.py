"""Lists the kept pictures day by day, so that a million file names are never in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_FILE = re.compile(r"(\d{8}T\d{12}-[0-9a-f]{8})\.(?:image|heatmap\.png)")


@dataclass(frozen=True, order=True)
class Day:
    """`name` is how the ids of its inspections begin: `20261125`."""

    name: str
    folder: Path

    @property
    def date(self) -> date:
        return date.fromisoformat(self.name)


@dataclass(frozen=True)
class Picture:
    """The files of one inspection, its picture first, then its heat map; each with its size in bytes."""

    inspection_id: str
    files: tuple[tuple[Path, int], ...]

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files)


def days(data_root: Path) -> list[Day]:
    """Oldest first. Other folders, and links to folders, are not ours."""
    found = []
    for year in _folders(data_root / "inspections", 4):
        for month in _folders(year, 2):
            found += [Day(year.name + month.name + day.name, day) for day in _folders(month, 2)]
    return sorted(day for day in found if _is_date(day.name))


def pictures(day: Day) -> list[Picture]:
    """Oldest first; other files than the archive's are left out. Raises OSError when the folder cannot be read."""
    found: dict[str, list[tuple[Path, int]]] = {}
    with os.scandir(day.folder) as entries:
        for entry in entries:
            match = _FILE.fullmatch(entry.name)
            if match and match[1].startswith(day.name) and entry.is_file(follow_symlinks=False):
                found.setdefault(match[1], []).append((Path(entry.path), entry.stat(follow_symlinks=False).st_size))
    # `.image` after `.heatmap.png`
    return [Picture(name, tuple(sorted(files, reverse=True))) for name, files in sorted(found.items())]


def _folders(parent: Path, digits: int) -> Iterator[Path]:
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    yield from (parent / name for name in names if len(name) == digits and name.isascii() and name.isdecimal())


def _is_date(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True
