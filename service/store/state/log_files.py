"""The log files of the data root, read in pieces while they are written and rotated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from service.contract.system import LogFileAbout, LogPiece
from service.errors import NotFound

# Of the service, the supervisor and the screens, rotated ones too; not the audit log, which has its own way.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}\.log(\.\d{1,4})?")


class LogFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[LogFileAbout]:
        """By name, the current one before its rotated ones."""
        found = []
        for path in self._folder.glob("*.log*"):
            if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                about = path.stat()
                modified = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
                found.append(LogFileAbout(name=path.name, size_bytes=about.st_size, modified_utc=modified))
        return sorted(found, key=_order)

    def read(self, name: str, after: int | None, limit_bytes: int) -> LogPiece:
        """From `after` on, None: the last ones. A file that is shorter was rotated and is read from its beginning.

        Raises NotFound.
        """
        if not _NAME.fullmatch(name) or not (self._folder / name).is_file():
            raise NotFound(f"No log file {name!r}; GET /logs lists them.")
        with open(self._folder / name, "rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - limit_bytes) if after is None else after if after <= size else 0
            file.seek(start)
            data = file.read(limit_bytes)
        if after is None and start > 0:  # not in the middle of a line
            cut = data.find(b"\n") + 1
            start, data = start + cut, data[cut:]
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) == limit_bytes:  # one line longer than was asked for
            end = len(data)
        return LogPiece(
            name=name, after=start, next=start + end, lines=data[:end].decode("utf-8", "replace").splitlines()
        )


def _order(file: LogFileAbout) -> tuple[str, int]:
    stem, _, number = file.name.partition(".log")
    return stem, int(number[1:] or 0)
