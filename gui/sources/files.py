"""Files that a person chooses or drops: each is a part, in the order of arrival."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from gui.sources.base import Picture, Source, SourceError
from gui.sources.reading import decoded

MAX_WAITING = 200  # they wait in memory


class FilesSource(Source):
    """`add` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Picture] = deque()
        self._last: Picture | None = None

    def add(self, name: str, data: bytes) -> None:
        """Raises SourceError when too many files wait."""
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise SourceError("too_many_files", f"{MAX_WAITING} files wait already.")
            self._waiting.append(Picture(data, name))

    def grab(self) -> Picture:
        """The next file that waits, or the last one again."""
        with self._lock:
            if self._waiting:
                self._last = self._waiting.popleft()
            if self._last is None:
                raise SourceError("no_file", "No file has been chosen.")
            return self._last

    def arrived(self) -> Picture | None:
        with self._lock:
            return self._waiting[0] if self._waiting else None

    def done(self, picture: Picture) -> None:
        with self._lock:
            if self._waiting and self._waiting[0] is picture:
                self._last = self._waiting.popleft()

    def preview(self) -> np.ndarray | None:
        last = self._last
        return decoded(last.data) if last else None
