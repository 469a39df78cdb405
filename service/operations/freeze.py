"""Freeze training and release it; both are in the audit log."""

from __future__ import annotations

from service import caller
from service.backend import People
from service.contract.operations import FreezeAnswer


def freeze(people: People, why: str) -> FreezeAnswer:
    """The last caller who freezes is named. Raises DiskFull."""
    before = people.freezing.frozen()
    now = people.freezing.freeze(caller.name(), caller.station.get(), why)
    people.note("freeze", {}, old=before.model_dump() if before else None, new=now.model_dump())
    return FreezeAnswer(training_frozen=True, frozen=now)


def release(people: People) -> FreezeAnswer:
    before = people.freezing.frozen()
    people.freezing.release()
    if before:
        people.note("unfreeze", {}, old=before.model_dump())
    return FreezeAnswer(training_frozen=False, frozen=None)
