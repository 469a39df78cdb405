"""`python -m service`: settings -> store -> engine -> backend -> app, made here and nowhere else."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

import psutil
import uvicorn
from fastapi import FastAPI

from service.api.app import create_app
from service.api.outage import create_outage_app
from service.backend import Backend
from service.engine import Engine
from service.errors import Problem
from service.logs import set_up_logs
from service.settings import Settings, SettingsError, read_settings
from service.store.database import open_database
from service.threads import let_threads_sleep

# What an inspection under way may take when the service is asked to stop.
STOP_S = 10
# How often a data root that could not be opened is tried again.
RETRY_S = 5

log = logging.getLogger(__name__)


def main() -> int:
    try:
        settings = read_settings()
        serve(settings)
    except (SettingsError, PortTaken) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(settings: Settings) -> None:
    """Serve until asked to stop. Raises PortTaken."""
    listening = _listen(settings.host, settings.port)
    if settings.workers == 1:
        while _serve_alone(settings, listening.dup()):
            log.info("data root can be opened again")
        listening.close()
        return
    listening.close()  # it was free; the workers' parent binds it itself
    with tempfile.TemporaryDirectory(prefix="brakedisc-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run(
            "service.__main__:make_app", factory=True, host=settings.host, port=settings.port,
            workers=settings.workers, log_config=None, access_log=False, timeout_graceful_shutdown=STOP_S,
        )  # fmt: skip


def _serve_alone(settings: Settings, listening: socket.socket) -> bool:
    """One server until it ends; true when it ended because the data root can be opened again."""
    app = make_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=STOP_S))
    if hasattr(app.state, "backend"):
        server.run(sockets=[listening])
        return False
    stopped, over = threading.Event(), threading.Event()

    def end_when_it_is_back() -> None:
        while not stopped.wait(RETRY_S):
            if _opens(settings.data_root):
                over.set()
                server.should_exit = True
                return

    watch = threading.Thread(target=end_when_it_is_back, name="data-root", daemon=True)
    watch.start()
    server.run(sockets=[listening])
    stopped.set()
    watch.join()
    return over.is_set()


def _opens(data_root: Path) -> bool:
    try:
        data_root.mkdir(parents=True, exist_ok=True)
        open_database(data_root / "records.sqlite").dispose()
    except (OSError, Problem):
        return False
    return True


def make_app(settings: Settings | None = None) -> FastAPI:
    """The application of one process; a worker process reads the settings itself.

    With a data root that cannot be opened, the one that says so: the port answers whatever is missing.
    """
    settings = settings or read_settings()
    try:
        set_up_logs(
            settings.data_root / "logs", level=settings.log_level, max_mb=settings.log_max_mb,
            files=settings.log_files, to_file=settings.workers == 1,
        )  # fmt: skip
        return create_app(Backend(settings, partial(build_engine, settings)))
    except (OSError, Problem) as error:
        reason = f"The data root {settings.data_root} cannot be opened: {error}. Run `brakedisc doctor`."
        print(reason, file=sys.stderr)
        return create_outage_app(settings, reason)


def build_engine(settings: Settings) -> Engine:
    """The real engine. Imports torch, which takes seconds: called in a thread, once the port is open."""
    let_threads_sleep()
    from service.torch_engine import TorchEngine

    return TorchEngine(settings)


class PortTaken(Exception):
    """Another program listens on our port; the text names it and says what to do."""


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket that nobody can share: Windows would let a second program bind the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for a delayed ACK
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"Cannot listen on {host}:{port} ({error.strerror or error}): {port_owner(port)} "
            "End it, or set BACKEND_PORT to another port."
        ) from None
    listening.set_inheritable(True)
    return listening


def port_owner(port: int) -> str:
    """A sentence that names the program listening on a TCP port."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid}) uses port {port}."
    except psutil.Error:
        pass
    return f"another program may use port {port}."


if __name__ == "__main__":
    sys.exit(main())
