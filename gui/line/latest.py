"""Works on a value that changes faster than it can be answered: only the newest counts, the others are left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Latest(Generic[V]):
    """`ask` never waits. `work` runs once at a time, and its last run has the last value."""

    def __init__(self, work: Callable[[V], Awaitable[None]]) -> None:
        self._work = work
        self._wanted: list[V] = []
        self._task: asyncio.Task[None] | None = None

    def ask(self, value: V) -> None:
        self._wanted[:] = [value]
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def settled(self) -> None:
        """Wait until the last value has been worked on."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._wanted:
            await self._work(self._wanted.pop())
