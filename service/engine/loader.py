"""The engine, loaded in a thread of its own, so that /health answers from the first second and says what is missing."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from service.engine.protocol import Engine
from service.errors import NotReady, Problem

log = logging.getLogger(__name__)
RETRY_S = 15.0
# An import of torch cannot be interrupted, and nobody waits for it: the process ends.
CLOSE_S = 3.0


class EngineLoader:
    """Calls `build` until it succeeds; a missing file or device that comes back is found within `RETRY_S`."""

    def __init__(self, build: Callable[[], Engine], *, retry_s: float = RETRY_S) -> None:
        self._build, self._retry_s = build, retry_s
        self._engine: Engine | None = None
        self._reason: str | None = None
        self._code = "loading"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._load, name="engine-loader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def state(self) -> str:
        """`ready`, `loading` or `error`."""
        if self._engine is not None:
            return "ready"
        return "error" if self._reason else "loading"

    @property
    def reason(self) -> str:
        return self._reason or "The backbone is loading."

    @property
    def code(self) -> str:
        """Slug of the reason."""
        return self._code

    def engine(self) -> Engine:
        """Raises NotReady, with the reason, until it is loaded."""
        if self._engine is None:
            raise NotReady(f"Not ready: {self.reason}")
        return self._engine

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=CLOSE_S)

    def _load(self) -> None:
        while not self._closing.is_set():
            try:
                self._engine = self._build()
                self._reason = None
                log.info("engine ready", extra={"device": self._engine.device, "device_name": self._engine.device_name})
                return
            except Problem as problem:
                self._reason, self._code = problem.detail, problem.code
                log.error("engine not ready", extra={"code": problem.code, "detail": problem.detail})
            except ImportError as error:  # does not heal in this process, and every try would cost memory
                self._code = "engine_failed"
                self._reason = f"The engine cannot be loaded: {error}. Install the program again."
                log.error("engine not importable", extra={"traceback": traceback.format_exc()})
                return
            except Exception as error:
                # whatever drivers and damaged weights throw while they start: said in /health, tried again
                self._reason, self._code = f"The engine cannot start: {error}. Run `brakedisc doctor`.", "engine_failed"
                log.error("engine broke while loading", extra={"traceback": traceback.format_exc()})
            self._closing.wait(self._retry_s)
