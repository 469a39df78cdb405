"""The source of a PC before a person has chosen one. It only says so."""

from __future__ import annotations

from gui.sources.base import Picture, Source, SourceError


class NoSource(Source):
    def grab(self) -> Picture:
        raise SourceError("no_source", "No picture source has been chosen.")

    def check(self) -> None:
        self.grab()
