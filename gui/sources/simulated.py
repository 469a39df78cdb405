"""A simulated camera for trials of the line: it replays the pictures of a folder, again and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gui.sources.base import Beat, Picture, Source, SourceError
from gui.sources.reading import decoded, pictures_in, read_picture


class SimulatedSource(Source):
    """Each trigger gives the next picture, by name; with `period_s` pictures arrive by themselves."""

    def __init__(self, folder: Path, period_s: float = 0.0) -> None:
        self._folder, self._beat, self._at = folder, Beat(period_s), 0
        self._shown: tuple[str, np.ndarray | None] = ("", None)

    def grab(self) -> Picture:
        picture = self._picture(self._at)
        self._at += 1
        return picture

    def check(self) -> None:
        if not self._folder.is_dir():
            raise SourceError("camera_gone", f"{self._folder} is not there.")

    def preview(self) -> np.ndarray | None:
        """The picture that the next trigger takes."""
        picture = self._picture(self._at)
        if picture.name != self._shown[0]:
            self._shown = (picture.name, decoded(picture.data))
        return self._shown[1]

    def _picture(self, number: int) -> Picture:
        self.check()
        present = sorted(pictures_in(self._folder), key=lambda found: found.name)
        if not present:
            raise SourceError("folder_empty", f"There is no picture in {self._folder}.")
        return read_picture(self._folder, present[number % len(present)])
