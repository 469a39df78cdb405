"""A disk of some megabytes that tests may fill."""

from __future__ import annotations

import contextlib
from pathlib import Path


def fill(disk: Path, leave_kb: int) -> Path:
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        file.truncate(max(0, file.tell() - leave_kb * 1024))
    return filler
