"""The port answers `loading` while the program itself is still being imported, which takes a cold PC many seconds.

It imports the standard library, settings and words of the contract: everything else is what is waited for.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Literal

from service import __version__
from service.contract.health import BackupState, Health, Latency
from service.contract.problem import ProblemAnswer
from service.errors import NotReady
from service.process.port import listen
from service.settings import Settings

_PATIENCE_S = 1.0
_LOOK_S = 0.1
LOADING = "The service is starting."


class Early:
    """Takes the port and answers on it until `hand_over`. Raises PortTaken."""

    def __init__(self, settings: Settings) -> None:
        self.address = (settings.host, settings.port)
        self._settings, self._started = settings, time.monotonic()
        self.listening = listen(*self.address)
        self.listening.listen(128)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="early", daemon=True)
        self._thread.start()

    def hand_over(self) -> socket.socket:
        """The listening socket; callers wait in its queue until the next server takes over."""
        self._ended.set()
        self._thread.join()
        return self.listening

    def _serve(self) -> None:
        handler = partial(_Handler, partial(not_serving, "loading", "loading", LOADING, self._settings, self._started))
        with HTTPServer(self.address, handler, bind_and_activate=False) as server:
            server.socket.close()
            server.socket, server.timeout = self.listening.dup(), _LOOK_S  # its next owner shares the listening one
            server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the caller is gone
            while not self._ended.is_set():
                server.handle_request()


def not_serving(
    status: Literal["loading", "error"], code: str, reason: str, settings: Settings, started: float
) -> Health:
    """Of a process that has no engine, no models and no data root yet. `started`: on the monotonic clock."""
    return Health(
        status=status, code=code, codes=[code], reason=reason, warnings=[], pid=os.getpid(), version=__version__,
        device="cpu" if settings.device == "auto" else settings.device, device_name="", model=settings.backbone,
        gpu_mem_mb=0.0, models_loaded=0, uptime_s=round(time.monotonic() - started, 1), training_frozen=False,
        frozen=None, disk_free_mb=0, backup=BackupState(last_success_utc=None, error=None, copy_error=None),
        latency_infer_ms=Latency(p50=None, p95=None),
    )  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S

    def __init__(self, health: Callable[[], Health], *connection: Any) -> None:
        self._health = health
        super().__init__(*connection)

    def _answer(self) -> None:
        if self.path == "/health/live":
            self._send(200, "application/json", json.dumps({"status": "live"}))
        elif self.path == "/health":
            self._send(503, "application/json", self._health().model_dump_json())
        else:
            said = ProblemAnswer.of(NotReady(f"Not ready: {LOADING}"))
            self._send(503, "application/problem+json", said.model_dump_json())
        self.connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and self.connection.recv(65_536):  # a body not read would tear the answer away
            pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body.encode()))), ("Retry-After", "1")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: standard error may not be there."""
