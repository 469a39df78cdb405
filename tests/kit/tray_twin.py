"""A stand-in for the service that speaks the routes the tray uses, over real HTTP, with knobs a test can turn."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from tray.supervise.status import State, Status

HEALTH: dict[str, Any] = {
    "status": "ok",
    "product": "brakedisc-inspector",
    "device": "cuda:0",
    "device_name": "NVIDIA RTX 4060",
    "gpu_mem_mb": 812.4,
    "latency_infer_ms": {"p50": 23.6, "p95": 41.0},
    "training_frozen": False,
    "frozen": None,
    "backup": {"last_success_utc": None, "error": None, "copy_error": None},
    "disk_free_mb": 90_000,
}


@dataclass
class TwinService:
    """What it was asked (`POST /path`, newest last), and what it answers."""

    port: int = 0
    key: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    backups: list[dict[str, Any]] = field(default_factory=list)
    inspections: list[dict[str, Any]] = field(default_factory=list)
    problem: dict[str, Any] | None = None  # how jobs end

    forgets_jobs: bool = False  # as after a restart
    refuse: tuple[int, dict[str, Any]] | None = None
    hold: threading.Event = field(default_factory=threading.Event)  # jobs run on until it is set

    def answer(self, method: str, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any], str]:
        if self.refuse and path != "/health":
            return (*self.refuse, "")
        if path == "/health":
            return 200, HEALTH, ""
        if path == "/backups" and method == "GET":
            return 200, {"backups": self.backups}, ""
        if path == "/inspections":
            since = query.get("since", [""])[0]
            newest = [item for item in reversed(self.inspections) if item["time_utc"] >= since]
            return 200, {"inspections": newest[: int(query["limit"][0])]}, ""
        if path.startswith("/jobs/"):
            return self._job()
        if path == "/backups" or path.endswith("/restore"):
            return 202, {}, "/jobs/1"
        return (200, {}, "") if path.startswith("/admin/") else (404, _problem("not_found"), "")

    def _job(self) -> tuple[int, dict[str, Any], str]:
        if self.forgets_jobs:
            return 404, _problem("not_found"), ""
        if not self.hold.is_set():
            return 200, {"state": "running", "progress": 0.5, "stage": "pack"}, ""
        if self.problem:
            return 200, {"state": "failed", "problem": self.problem, "result": None}, ""
        return 200, {"state": "done", "problem": None, "result": {"name": "brakedisc-new.tar.gz"}}, ""


@contextmanager
def twin_service(**knobs: Any) -> Iterator[TwinService]:
    twin = TwinService(**knobs)
    twin.hold.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(twin))
    server.daemon_threads = True
    twin.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield twin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TwinSupervisor:
    """Does at once what it is asked, and says so."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.asked: list[str] = []
        self._watchers: list[Any] = []

    def start(self) -> None:
        self._become("start", Status(State.READY, pid=7, health=HEALTH))

    def stop(self) -> None:
        self._become("stop", Status(State.STOPPED))

    def restart(self) -> None:
        self._become("restart", Status(State.READY, pid=8, health=HEALTH))

    def watch(self, changed: Any) -> None:
        self._watchers.append(changed)

    def become(self, status: Status) -> None:
        self._become("", status)

    def _become(self, verb: str, status: Status) -> None:
        self.asked += [verb] if verb else []
        self.status = status
        for changed in self._watchers:
            changed(status)


def _problem(code: str) -> dict[str, Any]:
    return {"code": code, "detail": f"It is {code}."}


def _handler(twin: TwinService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            twin.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}"))
            self._do("POST")

        def _do(self, method: str) -> None:
            url = urlparse(self.path)
            twin.asked.append(f"{method} {unquote(url.path)}")
            status, body, location = twin.answer(method, unquote(url.path), parse_qs(url.query))
            if twin.key and self.headers["X-API-Key"] != twin.key and url.path != "/health":
                status, body, location = 401, _problem("api_key_required"), ""
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
