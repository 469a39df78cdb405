"""Status of the supervisor as one frozen value: the only thing that icon, menu and `--status` look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class State(StrEnum):
    STOPPED = "stopped"  # because somebody asked for it
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"  # works, but: `code` and `reason` say what
    DOWN = "down"  # should run and does not: `code` and `reason` say why
    STOPPING = "stopping"


@dataclass(frozen=True)
class Status:
    """`code` is a stable slug that `texts` translates; `reason` says the same in English, with names and numbers.

    `since` is the epoch second at which the state began; `health` the service's last answer (empty before the first).
    """

    state: State = State.STOPPED
    code: str = ""
    reason: str = ""
    since: float = 0.0
    pid: int | None = None
    adopted: bool = False  # somebody else started the service that answers on our port
    crashes: int = 0  # within the window that ends in giving up
    last_lines: tuple[str, ...] = ()  # what the service said last, after a crash
    gpu_lost_utc: str | None = None  # latched until a person starts or restarts
    health: Mapping[str, Any] = field(default_factory=dict)


class Supervision(Protocol):
    """What the icon needs of the supervisor. The three verbs return at once; `status` changes when it has happened."""

    @property
    def status(self) -> Status: ...

    def start(self) -> None:
        """Also clears what made the supervisor give up, and a latched GPU loss."""

    def stop(self) -> None: ...

    def restart(self) -> None: ...

    def watch(self, changed: Callable[[Status], None]) -> None:
        """Call `changed`, from the supervisor's thread, whenever the status is another one."""
