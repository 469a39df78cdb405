"""What is a source of pictures? Something that is grabbed from, and from which pictures may arrive by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

import numpy as np


class SourceError(Exception):
    """No picture. `code` names the sentence that a person is told, `detail` is in English."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Picture:
    """A picture file as it is sent to the service, and the moment it was taken (ISO 8601, UTC)."""

    data: bytes
    name: str
    taken_utc: str


class Source(Protocol):
    """Everything is called from one thread that is the source's own, never from the event loop: it may block.

    Raises SourceError; a source that is away comes back by itself, without being made anew.
    """

    def grab(self) -> Picture:
        """The picture of now."""

    def arrived(self) -> Picture | None:
        """The next one that came by itself (new file, camera trigger, running line), None when there is none yet."""

    def done(self, picture: Picture) -> None:
        """That one was judged, or never can be: `arrived` does not give it again."""

    def check(self) -> None:
        """Quick: raises what keeps it from giving pictures."""

    def preview(self) -> np.ndarray | None:
        """What it sees, BGR uint8 (h, w, 3), without counting as a picture; None when nothing was seen yet."""

    def close(self) -> None:
        """It is not used any more. Raises nothing."""


@dataclass(frozen=True)
class Exposure:
    """In the camera's own unit: microseconds for GenICam, what the driver says for others."""

    value: float
    minimum: float
    maximum: float
    step: float
    unit: str = ""


@runtime_checkable
class HasExposure(Protocol):
    def exposure(self) -> Exposure | None:
        """None for a camera that does not tell."""

    def set_exposure(self, value: float) -> None: ...


def now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
