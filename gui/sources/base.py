"""The interface of a source: a picture can be grabbed from it, and pictures may arrive by themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from gui.kit.words import Told


class SourceError(Told):
    """No picture."""


@dataclass(frozen=True)
class Picture:
    """A picture file as the service gets it."""

    data: bytes
    name: str


@dataclass(frozen=True)
class Exposure:
    """In the camera's own unit: microseconds for GenICam, the driver's own for other cameras."""

    value: float
    minimum: float
    maximum: float
    step: float
    unit: str = ""


class Beat:
    """The beat of a running line: one picture each `period_s`; none with 0."""

    def __init__(self, period_s: float) -> None:
        self._period_s, self._next_s = period_s, time.monotonic() + period_s

    def due(self) -> bool:
        if self._period_s <= 0 or time.monotonic() < self._next_s:
            return False
        # from now on, not from the moment it was due: a line that stood still must not catch up
        self._next_s = time.monotonic() + self._period_s
        return True


class Source:
    """All methods are called from one thread, the source's own, never from the event loop: they may block.

    Raises SourceError. A source that is away comes back by itself: nobody makes a new one.
    """

    _beat: Beat | None = None  # of a source that stands for a running line

    def grab(self) -> Picture:
        """Take a picture now."""
        raise NotImplementedError

    def arrived(self) -> Picture | None:
        """The next picture that came by itself (new file, camera trigger, running line), None while there is none."""
        return self.grab() if self._beat and self._beat.due() else None

    def done(self, picture: Picture) -> None:
        """The picture was judged, or never can be: `arrived` must not give it again."""

    def check(self) -> None:
        """Quick: raises the reason why the source can give no pictures."""

    def preview(self) -> np.ndarray | None:
        """The live picture, BGR uint8 (h, w, 3), which is not inspected; None when nothing was seen yet."""

    def close(self) -> None:
        """End the use of the source. Raises nothing."""

    def exposure(self) -> Exposure | None:
        """None for a camera that does not tell its exposure."""

    def set_exposure(self, value: float) -> None:
        """In the unit of `exposure`."""


def now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
