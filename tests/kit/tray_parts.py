"""What the tests of the supervisor share: a small program to supervise, short times, and waiting for a state."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from service.contract.operations import BackupSummary
from tests.kit.parts import wait_until
from tests.kit.processes import free_port
from tray.supervise.gpu_latch import GpuLatch
from tray.supervise.policy import RestartPolicy, Timing
from tray.supervise.program import Program
from tray.supervise.rotation import RotatingFile
from tray.supervise.status import State, Status
from tray.supervise.supervisor import Supervisor

ROOT = Path(__file__).parents[2]
SMALL_SERVICE = Path(__file__).with_name("small_service.py")
SHORT = Timing(
    tick_s=0.1, starting_tick_s=0.05, probe_s=0.5, silent_s=0.7, hang_s=2, start_hang_s=4, stop_s=3, port_s=0.2
)
FIRST_DELAY_S = 0.25  # a quarter of the real one: a test waits for it, for twice and for four times as long
NEVER_GIVE_UP = RestartPolicy(max_crashes=0, first_delay_s=FIRST_DELAY_S)
GENEROUS_S = 60.0


class Small:
    """A folder that steers a small service, and what it noted there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.program = Program(
            "small", (sys.executable, str(SMALL_SERVICE), str(self.port), str(folder)), "127.0.0.1", self.port
        )

    def set(self, name: str, content: object = "") -> None:
        temporary = self.folder / "new"
        temporary.write_text(content if isinstance(content, str) else json.dumps(content))
        temporary.replace(self.folder / name)

    def unset(self, name: str) -> None:
        (self.folder / name).unlink()

    def noted(self, name: str) -> list[int]:
        """Process ids, in the order of what was noted."""
        with contextlib.suppress(FileNotFoundError):
            return [int(line.split()[0]) for line in (self.folder / name).read_text().splitlines()]
        return []

    def grandchild(self) -> psutil.Process:
        wait_until(lambda: (self.folder / "grandchild.pid").exists(), GENEROUS_S)
        wait_until(lambda: (self.folder / "grandchild.pid").read_text(), GENEROUS_S)
        return psutil.Process(int((self.folder / "grandchild.pid").read_text()))


def twin_program(data_root: Path, port: int = 0, **environment: str) -> Program:
    """The service on the engine's twin."""
    port = port or free_port()
    return Program(
        "service",
        (sys.executable, "-m", "tests.kit.twin_service", "--supervised", str(os.getpid())),
        "127.0.0.1",
        port,
        environment={
            "PYTHONPATH": str(ROOT),
            "BACKEND_DATA_ROOT": str(data_root),
            "BACKEND_PORT": str(port),
            "BACKEND_MIN_FREE_MB": "0",
            "BACKEND_INPUT_SIZE": "128",
            "BACKEND_BACKUP_HOUR": "-1",
            "TRAY_SCREENS": "false",
            **environment,
        },
    )


def tray_environment(folder: Path, temporary: Path, **environment: str) -> dict[str, str]:
    """Of a supervisor that knows nothing of another one on this PC, over a data root in `folder`. Its socket lies in
    `temporary`: see the fixture `short_folder`."""
    return {
        **os.environ,
        "TMPDIR": str(temporary),
        "BACKEND_DATA_ROOT": str(folder / "data"),
        "BACKEND_PORT": str(free_port()),
        "BACKEND_BACKBONE": "efficientnet_lite0",
        "BACKEND_MIN_FREE_MB": "0",
        "BACKEND_BACKUP_HOUR": "-1",
        **environment,
    }


@contextmanager
def supervised(
    small: Small,
    *,
    read_program: Callable[[], Program] | None = None,
    policy: RestartPolicy | None = None,
    timing: Timing = SHORT,
    **options: Any,
) -> Iterator[Supervisor]:
    sink = RotatingFile(small.folder / "output.log")
    latch = GpuLatch(small.folder / "tray.json", time)
    supervisor = Supervisor(
        read_program or (lambda: small.program), sink, latch, policy=policy, timing=timing, **options
    )
    supervisor.open()
    try:
        yield supervisor
    finally:
        supervisor.close()
        sink.close()


def wait_for(supervisor: Supervisor, state: State, code: str | None = None) -> Status:
    try:
        wait_until(lambda: _is(supervisor.status, state, code), GENEROUS_S)
    except AssertionError:
        raise AssertionError(f"never {state} {code}: {supervisor.status}") from None
    return supervisor.status


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def _is(status: Status, state: State, code: str | None) -> bool:
    return status.state is state and code in (None, status.code)


def a_backup(name: str, created_utc: str, version: str) -> BackupSummary:
    return BackupSummary(name=name, created_utc=created_utc, version=version, size_bytes=1)
