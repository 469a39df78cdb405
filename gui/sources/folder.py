"""A watched folder: gives each new picture file once, by time, and only when it is completely written."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from gui.sources.base import Picture, Source, SourceError
from gui.sources.memory import Memory
from gui.sources.reading import Found, decoded, is_complete, pictures_in, read_picture

SETTLED_S = 0.6  # a file of a format without an end mark is complete when it has not changed for so long
PATIENCE_S = 10.0  # then a torn or locked file is handed out all the same, because somebody must be told


class FolderSource(Source):
    """Files that lay in the folder at the first watch are old. Files that come while nobody watches are not lost."""

    def __init__(self, watched: Path, memory_folder: Path) -> None:
        self._watched, self._memory = watched, Memory(memory_folder, watched)
        self._seen: dict[str, float] = {}  # file as it is -> when it was first seen so
        self._given: dict[str, str] = {}  # name of a picture handed out -> its key
        self._shown: tuple[str, np.ndarray | None] = ("", None)

    def grab(self) -> Picture:
        """The newest complete file, whether inspected or not."""
        for found in reversed(pictures_in(self._watched)):
            picture = self._whole(found)
            if picture is not None:
                return picture
        raise SourceError("folder_empty", f"There is no picture in {self._watched}.")

    def arrived(self) -> Picture | None:
        present = pictures_in(self._watched)
        keys = {found.key for found in present}
        if not self._memory.known:
            self._memory.start(keys)
        self._memory.forget_all_but(keys)
        self._seen = {key: since for key, since in self._seen.items() if key in keys}
        for found in present:
            if found.key not in self._memory:
                picture = self._whole(found)
                if picture is None:
                    return None  # the files behind it wait, because parts keep their order
                self._given[picture.name] = found.key
                return picture
        return None

    def done(self, picture: Picture) -> None:
        key = self._given.pop(picture.name, None)
        if key is not None:
            self._memory.add(key)

    def check(self) -> None:
        if not self._watched.is_dir():
            raise SourceError("folder_gone", f"{self._watched} is not there.")

    def preview(self) -> np.ndarray | None:
        present = pictures_in(self._watched)
        if present and present[-1].key != self._shown[0]:
            picture = self._whole(present[-1])
            if picture is not None:
                self._shown = (present[-1].key, decoded(picture.data))
        return self._shown[1]

    def _whole(self, found: Found) -> Picture | None:
        """None while the file is being written."""
        age_s = time.monotonic() - self._seen.setdefault(found.key, time.monotonic())
        try:
            picture = read_picture(self._watched, found)
        except SourceError:
            self.check()
            if age_s < PATIENCE_S:
                return None
            # the service refuses an empty picture: the part is an error on the screen, and the next one gets its turn
            return Picture(b"", found.name)
        whole = len(picture.data) == found.size and is_complete(picture.data)
        is_tiff = picture.data[:4] in (b"II*\0", b"MM\0*")  # which has no end mark
        settled = age_s > (SETTLED_S if is_tiff else PATIENCE_S)
        return picture if whole or settled else None
