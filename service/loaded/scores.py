"""Results that cost time and never change, such as scores of stored samples: computed once, the oldest forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class Remembered(Generic[T]):
    """At most `capacity` results. Two threads that ask at once for something new may both compute it."""

    def __init__(self, capacity: int) -> None:
        self._known: LRUCache[Hashable, T] = LRUCache(capacity)
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """An error in `compute` is not remembered."""
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = compute()
        with self._lock:
            self._known[key] = found
        return found
