"""Processes that append to an audit log: several at once, and some that are killed while they do."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from service.store import files
from service.store.audit import log as audit
from service.store.audit.log import Audit


def append_many(data_root: Path, station: str, count: int) -> None:
    log = Audit(data_root)
    for number in range(count):
        log.append("fit", by="line-2", station=station, target={"roi_id": "ring"}, old=number, new=number + 1)


def append_until_killed(data_root: Path, answered: Path) -> None:
    """A byte in `answered` for each append that returned."""
    log = Audit(data_root)
    with open(answered, "ab", buffering=0) as file:
        for number in itertools.count():
            log.append("fit", by="line-2", station="pc-7", target={}, old="x" * (number % 50) * 100, new=None)
            file.write(b".")


def append_and_die(data_root: Path, line: int) -> None:
    """Append, and be killed right before line number `line` of the log's or the store's code runs."""
    log, lines = Audit(data_root), itertools.count(1)

    def watch(frame: FrameType, event: str, _: object) -> object:
        if frame.f_code.co_filename not in (audit.__file__, files.__file__):
            return None
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return watch

    sys.settrace(watch)
    log.append("fit", by="line-2", station="pc-7", target={}, old=None, new="killed")
