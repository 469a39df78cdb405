"""What is due by the clock is done here: one thread, in one of all worker processes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from filelock import BaseFileLock, Timeout

from service.errors import Problem

log = logging.getLogger(__name__)
# Windows starts many things at once; what was missed while the PC was off can wait a minute more.
START_DELAY_S = 60.0
LOOK_EVERY_S = 30.0


@dataclass(frozen=True)
class Chore:
    """`do` looks whether something is due and does it; called every `every_s`, after a failure every `retry_s`."""

    name: str
    do: Callable[[], None]
    every_s: float
    retry_s: float


class Housekeeping:
    """Whoever holds `lock` does the chores; when that process ends, another takes over."""

    def __init__(self, chores: Sequence[Chore], lock: BaseFileLock, *, start_delay_s: float = START_DELAY_S) -> None:
        self._chores, self._start_delay_s = chores, start_delay_s
        self._next = dict.fromkeys(range(len(chores)), 0.0)
        self._lock = lock
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Waits for a chore under way, which is short or a job of its own."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._lock.release()

    def look(self) -> None:
        """Do what is due, if this process is the one to do it."""
        try:
            self._lock.acquire()
        except (Timeout, OSError):  # another process does it; or the data root is gone, which /health says
            return
        for number, chore in enumerate(self._chores):
            if time.monotonic() >= self._next[number] and not self._closing.is_set():
                self._next[number] = time.monotonic() + self._do(chore)

    def _do(self, chore: Chore) -> float:
        try:
            chore.do()
        except (Problem, OSError) as error:
            log.error("chore failed", extra={"chore": chore.name, "detail": str(error)})
            return chore.retry_s
        return chore.every_s

    def _keep(self) -> None:
        pause = self._start_delay_s
        while not self._closing.wait(pause):
            self.look()
            pause = LOOK_EVERY_S
