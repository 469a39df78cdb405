"""The clock, handed over so that a test can turn it: the module `time` is one."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float: ...

    def time(self) -> float: ...
