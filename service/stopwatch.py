"""Seconds by stage, for answers, metrics and benches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """`with watch("embed"): ...` adds up; `watch.seconds` and `watch.ms` are by stage, in order of first use."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started

    @property
    def ms(self) -> dict[str, float]:
        return {stage: round(seconds * 1e3, 3) for stage, seconds in self.seconds.items()}
