"""A log file that cannot grow, fail or wait for anybody: raw bytes, rotated by size and age."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tray.supervise.clock import Clock

_DAY_S = 86_400


@dataclass(frozen=True)
class Limits:
    max_bytes: int = 10_000_000
    files: int = 10
    days: int = 90


class RotatingFile:
    """`service-output.log`, and full ones as `service-output.20260131-081500-000000.log`. For one thread.

    `write` never raises: what a full or a missing disk does not take is counted, and said once it takes again.
    """

    def __init__(self, path: Path, limits: Limits | None = None, clock: Clock | None = None) -> None:
        self.path, self.limits = path, limits or Limits()
        self._clock: Clock = clock or time
        self._file: BinaryIO | None = None
        self._size = 0
        self.left_out = 0

    def write(self, data: bytes) -> None:
        left_out = self.left_out
        note = b"... %d bytes left out\n" % left_out if left_out else b""
        try:
            file = self._opened()
            if self._size and self._size + len(data) > self.limits.max_bytes:
                self._rotate()
                file = self._opened()
            written = file.write(note + data)
        except OSError:  # full, gone, write-protected: the program that is logged must not notice
            self.left_out = left_out + len(data)
            self.close()
        else:
            self._size += written
            self.left_out = len(note + data) - written  # the last bytes of a disk

    def leave_out(self, count: int) -> None:
        """So many bytes never came here: said before the next ones."""
        self.left_out += count

    def close(self) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115  # closed by close
            self._size = self._file.tell()
        return self._file

    def _rotate(self) -> None:
        """Windows renames no file that a viewer holds open: then its content moves, and at worst it is dropped."""
        self.close()
        full = self._free_name()
        try:
            os.replace(self.path, full)
        except OSError:
            with contextlib.suppress(OSError):
                shutil.copyfile(self.path, full)
            with open(self.path, "r+b") as file:
                file.truncate()
        self.prune()

    def _free_name(self) -> Path:
        micros = int(self._clock.time() * 1e6)
        while (name := self._name(micros)).exists():
            micros += 1
        return name

    def _name(self, micros: int) -> Path:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(micros // 1_000_000))
        return self.path.with_suffix(f".{stamp}-{micros % 1_000_000:06}{self.path.suffix}")

    def prune(self) -> None:
        """Remove the oldest over the number of files, and all over the number of days."""
        oldest = self._clock.time() - self.limits.days * _DAY_S
        kept = self.limits.files - 1
        for number, full in enumerate(reversed(self.rotated())):
            with contextlib.suppress(OSError):  # in use by a viewer: the next time
                if number >= kept or full.stat().st_mtime < oldest:
                    full.unlink()

    def rotated(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.*-*{self.path.suffix}"))
