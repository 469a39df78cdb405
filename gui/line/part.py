"""The part on the Inspect screen, in one of five states; the last parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.contract.frames import InspectAnswer


class State(StrEnum):
    WAITING = "waiting"
    BUSY = "busy"
    OK = "OK"
    NG = "NG"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Part:
    """`code`, `detail`: the error. `picture_url`, `heat_url` come a moment after the verdict."""

    state: State = State.WAITING
    part_id: str = ""
    name: str = ""
    code: str = ""
    detail: str = ""
    answer: InspectAnswer | None = None
    picture_url: str = ""
    heat_url: str = ""
    size: tuple[int, int] = (0, 0)
    time_utc: str = ""
    number: int = 0


@dataclass(frozen=True)
class Past:
    """One of the last parts: `thumbnail` is a data URL, empty for a picture that cannot be shown."""

    number: int
    state: State
    part_id: str
    time_utc: str
    frame_id: str = ""
    thumbnail: str = ""
