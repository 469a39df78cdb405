"""The chores of the service: the daily backup, the check of golden parts, old pictures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from service.backend import Device, Kept, People, Upkeep
from service.errors import Problem
from service.operations import backup, verify
from service.operations.housekeeping import START_DELAY_S, Chore, Housekeeping
from service.store.backups.restore import restored
from service.store.files import leader_lock
from service.store.state.verification import last_verification

log = logging.getLogger(__name__)
# Between two steps of at most 240 ms: inspections never wait for old pictures.
PAUSE_S = 0.2
Now = Callable[[], datetime]


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
    """A restored state is verified by itself once; after that, when somebody says so."""
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
