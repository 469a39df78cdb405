"""Freeze training and release it; both are in the audit log."""

from __future__ import annotations

from dataclasses import asdict

from service import caller
from service.backend import People
from service.contract.health import Frozen
from service.contract.operations import FreezeAnswer


def freeze(people: People, why: str) -> FreezeAnswer:
    """Whoever freezes last is the one who is named. Raises DiskFull."""
    before = people.freezing.frozen()
    now = people.freezing.freeze(caller.name(), caller.station.get(), why)
    people.note("freeze", {}, old=asdict(before) if before else None, new=asdict(now))
    return FreezeAnswer(training_frozen=True, frozen=Frozen(**asdict(now)))


def release(people: People) -> FreezeAnswer:
    before = people.freezing.frozen()
    people.freezing.release()
    if before:
        people.note("unfreeze", {}, old=asdict(before))
    return FreezeAnswer(training_frozen=False, frozen=None)
