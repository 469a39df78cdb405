"""One thread owns the device. Inspections wait in a bounded queue and share forward passes; a fit gets slices between.

Nobody else calls the engine, so that neither a GPU context nor the CPU's cores are fought over.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.errors import QueueFull, TooLate

Item = TypeVar("Item")
Result = TypeVar("Result")
T = TypeVar("T")

# A fit's slice may wait this long for inspections before it gets one turn: teaching slows down, it does not starve.
SLICE_PATIENCE_S = 0.25


@dataclass(frozen=True, eq=False)  # one is only ever itself: comparing pictures would be slow or fail
class _Waiting(Generic[Item, Result]):
    key: Hashable
    item: Item
    future: Future[Result]
    deadline: float


class DeviceWorker(Generic[Item, Result]):
    """`run_batch(items)` computes items that were submitted with equal keys, in one forward pass."""

    def __init__(self, run_batch: Callable[[Sequence[Item]], Sequence[Result]], *, queue_size: int, batch_size: int):
        self._run_batch = run_batch
        self._queue_size = queue_size
        self._batch_size = batch_size
        self._inspections: deque[_Waiting[Item, Result]] = deque()
        self._slices: deque[tuple[Callable[[], None], float]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Inspections that wait for the device."""
        return len(self._inspections)

    def compute(self, key: Hashable, item: Item, timeout_s: float) -> Result:
        """Wait for the item's result. Raises QueueFull at once, TooLate after `timeout_s`, what the engine raises."""
        return self.compute_all([(key, item)], timeout_s)[0]

    def compute_all(self, asked: Sequence[tuple[Hashable, Item]], timeout_s: float) -> list[Result]:
        """As `compute`, for items with their keys that belong together: all of them wait in the queue, or none."""
        deadline = time.monotonic() + timeout_s
        waiting = [_Waiting[Item, Result](key, item, Future(), deadline) for key, item in asked]
        with self._changed:
            if self._closing:
                raise QueueFull("The service is stopping: send the part again when it is back.")
            if len(self._inspections) >= self._queue_size:
                raise QueueFull(f"{self._queue_size} inspections wait already: send this part again in a moment.")
            self._inspections.extend(waiting)
            self._changed.notify()
        try:
            return [one.future.result(max(0.0, deadline - time.monotonic())) for one in waiting]
        except TimeoutError:
            raise TooLate(f"No result within {timeout_s:g} s (BACKEND_INFER_TIMEOUT_S): inspect again.") from None
        finally:
            self._give_up([one for one in waiting if not one.future.done()])

    def run(self, work: Callable[[], T]) -> T:
        """Run a slice of a longer job on the device thread, when no inspection waits, and wait for its result."""
        future: Future[T] = Future()

        def slice_() -> None:
            _resolve(future, work)

        with self._changed:
            if self._closing:
                raise QueueFull("The service is stopping.")
            self._slices.append((slice_, time.monotonic()))
            self._changed.notify()
        return future.result()

    def close(self) -> None:
        """Finish what waits, then end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._inspections or self._slices or self._closing):
                    self._changed.wait()
                if not (self._inspections or self._slices):
                    return
                slice_ = self._slices.popleft()[0] if self._slice_is_due() else None
                batch = [] if slice_ else self._next_batch()
            if slice_:
                slice_()
            else:
                self._compute(batch)

    def _give_up(self, some: Sequence[_Waiting[Item, Result]]) -> None:
        """Take them out of the queue: their callers no longer wait."""
        for waiting in some:
            waiting.future.cancel()
            with self._changed:
                if waiting in self._inspections:
                    self._inspections.remove(waiting)

    def _slice_is_due(self) -> bool:
        if not self._slices:
            return False
        return not self._inspections or time.monotonic() - self._slices[0][1] > SLICE_PATIENCE_S

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """The oldest inspection and those behind it with the same key, oldest first."""
        key = self._inspections[0].key
        batch = [waiting for waiting in self._inspections if waiting.key == key][: self._batch_size]
        for waiting in batch:
            self._inspections.remove(waiting)
        return batch

    def _compute(self, batch: list[_Waiting[Item, Result]]) -> None:
        now = time.monotonic()
        live = [w for w in batch if now < w.deadline and w.future.set_running_or_notify_cancel()]
        if not live:
            return
        try:
            results = self._run_batch([waiting.item for waiting in live])
            answers = list(zip(live, results, strict=True))
        except BaseException as error:  # handed to those who wait; nothing is swallowed
            for waiting in live:
                waiting.future.set_exception(error)
        else:
            for waiting, result in answers:
                waiting.future.set_result(result)


def _resolve(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # handed to the job that waits; nothing is swallowed
        future.set_exception(error)
