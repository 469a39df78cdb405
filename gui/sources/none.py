"""The source of a PC before a person has chosen one. It only says so."""

from __future__ import annotations

import numpy as np

from gui.sources.base import Picture, SourceError


class NoSource:
    def grab(self) -> Picture:
        raise SourceError("no_source", "No picture source has been chosen.")

    def arrived(self) -> Picture | None:
        return None

    def done(self, picture: Picture) -> None: ...

    def check(self) -> None:
        raise SourceError("no_source", "No picture source has been chosen.")

    def preview(self) -> np.ndarray | None:
        return None

    def close(self) -> None: ...
