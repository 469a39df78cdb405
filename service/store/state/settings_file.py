"""`settings.env` in the data root, changed by a program: comments, order and unknown lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from service.errors import InvalidField
from service.store.files import file_lock, write_file

_ENCODING = "utf-8-sig"  # Windows' editor writes a byte order mark
_PLAIN = re.compile(r"[^\s#'\"\\$`][^\s#'\"$`]*")


class SettingsFile:
    def __init__(self, path: Path) -> None:
        self._path, self._lock_file = path, path.parent / "locks" / "settings.lock"

    def stamp(self) -> tuple[int, int]:
        """Another one as soon as the file was changed; (0, 0) when there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def values(self) -> dict[str, str]:
        """By name in upper case, as settings are read. Raises OSError, UnicodeDecodeError."""
        return _values(self._text())

    def change(self, values: Mapping[str, str | None]) -> None:
        """None takes a line away. Raises InvalidField (a value the file cannot hold), DiskFull, Conflict."""
        busy = "The settings are being changed by somebody else: try again."
        with file_lock(self._lock_file, busy):
            text = self._text()
            for name, value in values.items():
                text = _changed(text, name, value)
            kept = _values(text)
            for name, value in values.items():
                if kept.get(name) != value or any(ord(character) < 32 for character in value or ""):
                    raise InvalidField(f"{name}: {self._path.name} cannot hold line breaks and ${{...}}.")
            write_file(self._path, text.encode())

    def _text(self) -> str:
        return self._path.read_text(_ENCODING) if self._path.exists() else ""


def _values(text: str) -> dict[str, str]:
    return {name.upper(): value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _changed(text: str, name: str, value: str | None) -> str:
    """The last line of that name is the one that counts: it is changed, those before go."""
    pattern = re.compile(rf"\s*(?:export\s+)?{re.escape(name)}\s*=", re.IGNORECASE)
    lines = text.splitlines()
    places = [number for number, line in enumerate(lines) if pattern.match(line)]
    if value is not None:
        line = f"{name}={_quoted(value)}"
        if places:
            lines[places.pop()] = line
        else:
            lines.append(line)
    kept = [line for number, line in enumerate(lines) if number not in places]
    return "\n".join(kept) + "\n" if kept else ""


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
