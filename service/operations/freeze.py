"""Freeze training and release it; both are in the audit log."""

from __future__ import annotations

from dataclasses import asdict

from service import caller
from service.backend import Backend
from service.contract.health import Frozen
from service.contract.operations import FreezeAnswer


def freeze(backend: Backend, why: str) -> FreezeAnswer:
    """Whoever freezes last is the one who is named. Raises DiskFull."""
    before = backend.freezing.frozen()
    now = backend.freezing.freeze(caller.name(), caller.station.get(), why)
    backend.note("freeze", {}, old=asdict(before) if before else None, new=asdict(now))
    return FreezeAnswer(training_frozen=True, frozen=Frozen(**asdict(now)))


def release(backend: Backend) -> FreezeAnswer:
    before = backend.freezing.frozen()
    backend.freezing.release()
    if before:
        backend.note("unfreeze", {}, old=asdict(before))
    return FreezeAnswer(training_frozen=False, frozen=None)
