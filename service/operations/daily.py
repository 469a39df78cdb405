"""What is due by the clock: the daily backup, the check of golden parts, old pictures.

One thread does it, in one of all worker processes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from filelock import BaseFileLock, Timeout

from service.backend import Device, Kept, People, Upkeep
from service.errors import Problem
from service.operations import backup, verify
from service.store.backups.restore import restored
from service.store.files import leader_lock
from service.store.state.verification import last_verification

log = logging.getLogger(__name__)
# Windows starts many things at once; what was missed while the PC was off can wait a minute more.
START_DELAY_S = 60.0
LOOK_EVERY_S = 30.0
# Between two steps of at most 240 ms: inspections never wait for old pictures.
PAUSE_S = 0.2
Now = Callable[[], datetime]


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


def housekeeping(
    device: Device,
    kept: Kept,
    people: People,
    upkeep: Upkeep,
    *,
    now: Now = lambda: datetime.now(UTC),
    start_delay_s: float = START_DELAY_S,
) -> Housekeeping:
    chores = [
        Chore("backup", partial(back_up_daily, device, upkeep, now), every_s=0, retry_s=1800),
        Chore("golden parts", partial(verify_daily, device, kept, people, now), every_s=0, retry_s=600),
        Chore("restored state", partial(verify_restored, device, kept, people), every_s=0, retry_s=600),
        Chore("old pictures", partial(drop_old_pictures, upkeep), every_s=3600, retry_s=3600),
    ]
    lock = leader_lock(kept.settings.data_root / "locks" / "housekeeping.lock")
    return Housekeeping(chores, lock, start_delay_s=start_delay_s)


def back_up_daily(device: Device, upkeep: Upkeep, now: Now) -> None:
    """Once after the set hour of each day; one that was missed is made up for."""
    hour, newest = device.settings.backup_hour, upkeep.backups.outcome().last_success_utc
    if hour >= 0 and (newest is None or datetime.fromisoformat(newest) < verify.due_since(hour, now())):
        _, done = upkeep.jobs.start("backup", partial(backup.back_up, device, upkeep), lane="disk")
        done.result()


def verify_daily(device: Device, kept: Kept, people: People, now: Now) -> None:
    """Once after its hour; what failed is tried again later. Raises Problem then."""
    hour, last = kept.settings.verify_hour, last_verification(kept.settings.data_root)
    if hour < 0 or device.loader.state != "ready":
        return
    fresh = last is not None and datetime.fromisoformat(last.checked_utc) >= verify.due_since(hour, now())
    if not (fresh and last and last.passed) and not verify.verify(device, kept, people).passed:
        raise Problem("The golden parts did not pass.")


def verify_restored(device: Device, kept: Kept, people: People) -> None:
    """Verify a restored state once by itself; later verifications are asked for."""
    if device.loader.state != "ready":
        return
    waiting, last = restored(kept.settings.data_root), last_verification(kept.settings.data_root)
    if waiting and (last is None or last.checked_utc < waiting.restored_utc):
        verify.verify(device, kept, people)


def drop_old_pictures(upkeep: Upkeep) -> None:
    """In small steps; one line in the log of what went."""
    tally = None
    for so_far in upkeep.retention.run(limit=50):
        tally = so_far
        if upkeep.jobs.closing:
            break
        time.sleep(PAUSE_S)
    if tally and (tally.pictures or tally.in_use or tally.clock_doubted):
        log.warning("old pictures", extra=tally.as_fields())
