"""uvicorn servers, one after the other on one bound socket: ended by a signal, by a supervisor, or for a restart."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from service.process.port import listen
from service.process.starting import Early
from service.settings import Settings

# What an inspection under way may take when the service is asked to stop; the supervisor waits 10 s for the whole.
STOP_S = 8
# A worker sends its parent this signal to restart all workers. Nothing else sends it, so a stop stays a stop.
RESTART = getattr(signal, "SIGUSR1", signal.SIGTERM)


class Serving:
    """`stop` and `restart` may be called from any thread. `early` answers on the port until we do."""

    def __init__(self, early: Early | None = None) -> None:
        self._server: uvicorn.Server | None = None
        self._early = early
        self._bound: tuple[tuple[str, int], socket.socket] | None = None
        self._stopping, self._again = threading.Event(), threading.Event()

    def run(self, app: ASGIApp, settings: Settings) -> bool:
        """Serve until the server ends; true when it ended for a restart. Raises PortTaken."""
        listening = self.take_port(settings)
        config = _config(app)
        config.load()  # what it imports, too, is waited for with an answer
        self._end_early()
        self._again.clear()
        self._server = uvicorn.Server(config)
        if not self._stopping.is_set():  # asked before there was a server to ask
            self._server.run(sockets=[listening.dup()])
        self._server = None
        return self._again.is_set() and not self._stopping.is_set()

    def run_several(self, factory: str, settings: Settings) -> None:
        """Worker processes under a parent, which is this process; ends when that is told to. Raises PortTaken."""
        config, listening = _config(factory, workers=settings.workers), self.take_port(settings)
        self._end_early()
        with tempfile.TemporaryDirectory(prefix="brakedisc-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            parent = Multiprocess(config, sockets=[listening])

            def stop(number: int, _: object) -> None:
                """Also of a signal that comes while the workers end, or between two parents: a stop is never lost."""
                self._stopping.set()
                parent.signal_queue.append(number)

            signal.signal(RESTART, lambda *_: parent.signal_queue.append(signal.SIGTERM))
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, stop)
            if not self._stopping.is_set():
                parent.run()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """End for good; requests under way are finished first."""
        self._stopping.set()
        self._end()

    def restart(self) -> None:
        self._again.set()
        self._end()

    def take_port(self, settings: Settings) -> socket.socket:
        """The socket of before while the address is the same: on Windows it could not be bound again at once."""
        address = (settings.host, settings.port)
        if self._early is not None and self._early.address == address:
            return self._early.listening
        if self._bound is None or self._bound[0] != address:
            self.close()
            self._bound = (address, listen(*address))
        return self._bound[1]

    def _end_early(self) -> None:
        """What it listened on is ours now."""
        if self._early is not None:
            self._bound = (self._early.address, self._early.hand_over())
            self._early = None

    def close(self) -> None:
        self._end_early()
        if self._bound is not None:
            self._bound[1].close()
            self._bound = None

    def _end(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        else:  # the parent of several worker processes
            os.kill(os.getpid(), signal.SIGTERM)


def _config(app: ASGIApp | str, *, workers: int = 1) -> uvicorn.Config:
    """`app`: the application, or, for worker processes, the name of the function that makes it."""
    return uvicorn.Config(
        app, factory=isinstance(app, str), workers=workers, log_config=None, access_log=False, loop="asyncio",
        timeout_graceful_shutdown=STOP_S,
    )  # fmt: skip
