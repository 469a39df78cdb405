"""Output of a child process: read from its pipe at once, logged as far as the disk can follow."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO, Protocol

_CHUNK = 1 << 16
_WAITING = 4 << 20  # bytes that may wait for the disk
_TAIL = 1 << 14  # bytes remembered for the reason of a crash
_JOIN_S = 2.0


class Sink(Protocol):
    def write(self, data: bytes) -> None: ...

    def leave_out(self, count: int) -> None: ...


class Output:
    """Two threads: one reads, and never waits for the other, which writes. `ended` is called when the pipe ends."""

    def __init__(self, pipe: IO[bytes], sink: Sink, ended: Callable[[], None]) -> None:
        self._pipe, self._sink, self._ended = pipe, sink, ended
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._over = False
        self._changed = threading.Condition()
        self._tail = bytearray()
        self._threads = [
            threading.Thread(target=run, name=f"output-{run.__name__.strip('_')}", daemon=True)
            for run in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    def last_lines(self, count: int = 50) -> tuple[str, ...]:
        with self._changed:
            text = self._tail.decode("utf-8", "replace")
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]

    def join(self) -> None:
        """Wait for the last words. A process outside the tree could hold the pipe open: not for ever."""
        for thread in self._threads:
            thread.join(_JOIN_S)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._pipe.fileno(), _CHUNK):
                self._take(chunk)
        except OSError:  # the other end is gone: the same as the end
            pass
        finally:
            self._pipe.close()
            with self._changed:
                self._over = True
                self._changed.notify()
            self._ended()

    def _take(self, chunk: bytes) -> None:
        with self._changed:
            self._tail = (self._tail + chunk)[-_TAIL:]
            if self._waiting_bytes + len(chunk) > _WAITING:
                self._dropped += len(chunk)
                return
            self._waiting.append(chunk)
            self._waiting_bytes += len(chunk)
            self._changed.notify()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    break
                chunks, dropped = list(self._waiting), self._dropped
                self._waiting.clear()
                self._waiting_bytes = self._dropped = 0
            for chunk in chunks:
                self._sink.write(chunk)
            if dropped:  # they came after what waited
                self._sink.leave_out(dropped)
