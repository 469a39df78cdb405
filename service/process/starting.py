"""The port answers `loading` while the program itself is still being imported, which takes a cold PC many seconds.

Standard library and settings only: everything else is what is waited for.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from typing import Any

from service import __version__
from service.process.port import listen
from service.settings import Settings

_LARGEST_REQUEST = 65_536
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
        """The listening socket; who calls meanwhile waits in its queue for the next to serve it."""
        self._ended.set()
        self._thread.join()
        return self.listening

    def _serve(self) -> None:
        while not self._ended.is_set():
            # the socket itself stays blocking: its next owner shares it
            if select.select([self.listening], [], [], _LOOK_S)[0]:
                try:
                    connection, _ = self.listening.accept()
                    with connection:
                        self._answer(connection)
                except OSError:  # who called is gone
                    continue

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE_S)
        request = b""
        while b"\r\n\r\n" not in request and len(request) < _LARGEST_REQUEST:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        path = request.split(b" ", 2)[1:2]
        if path == [b"/health/live"]:
            status, body = "200 OK", {"status": "live"}
        else:
            status = "503 Service Unavailable"
            body = self._health() if path == [b"/health"] else _problem()
        kind = "application/problem+json" if "code" in body and "product" not in body else "application/json"
        connection.sendall(_message(status, kind, json.dumps(body).encode()))
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and connection.recv(65_536):  # a body not read would tear the answer away
            pass

    def _health(self) -> dict[str, Any]:
        """As `service.contract.health.Health` says."""
        return {
            "status": "loading", "reason": LOADING, "code": "loading", "codes": ["loading"], "warnings": [],
            "product": "brakedisc-inspector", "pid": os.getpid(), "version": __version__,
            "device": "cpu" if self._settings.device == "auto" else self._settings.device, "device_name": "",
            "model": self._settings.backbone, "gpu_mem_mb": 0.0, "models_loaded": 0,
            "uptime_s": round(time.monotonic() - self._started, 1), "training_frozen": False, "frozen": None,
            "backup": {"last_success_utc": None, "error": None, "copy_error": None}, "disk_free_mb": 0,
            "latency_infer_ms": {"p50": None, "p95": None}, "request_id": "",
        }  # fmt: skip


def _problem() -> dict[str, Any]:
    return {
        "type": "urn:brakedisc:problem:not_ready", "title": "Not ready", "status": 503, "code": "not_ready",
        "detail": f"Not ready: {LOADING}", "error": f"Not ready: {LOADING}", "request_id": "",
    }  # fmt: skip


def _message(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nRetry-After: 1\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
