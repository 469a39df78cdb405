"""A child process and everything it starts, as one: started, asked to stop, ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable

import psutil

from tray.supervise.output import Output, Sink
from tray.supervise.program import Program

if sys.platform == "win32":
    from tray.supervise.process_windows import CREATION, Tree
else:
    from tray.supervise.process_linux import CREATION, Tree

_GONE_S = 5.0


class Child:
    """A running program. It lives no longer than we do: by Job Object on Windows, by its own lifeline on Linux.

    Raises OSError when it cannot be started.
    """

    def __init__(self, program: Program, sink: Sink, ended: Callable[[], None]) -> None:
        self._process = subprocess.Popen(
            program.command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            **CREATION,
        )
        self.pid = self._process.pid
        self._tree = Tree(self._process)
        assert self._process.stdout
        self._output = Output(self._process.stdout, sink, ended)

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def last_lines(self) -> tuple[str, ...]:
        return self._output.last_lines()

    def stop(self, timeout_s: float) -> bool:
        """Ask, wait, then end the whole tree. True when it went by itself."""
        if self._process.stdin:
            with contextlib.suppress(OSError):  # it is gone already
                self._process.stdin.close()
        try:
            self._process.wait(timeout_s)
            asked = True
        except subprocess.TimeoutExpired:
            asked = False
        self.end()
        return asked

    def end(self) -> None:
        """End it and everything it started, now; also what a dead one left behind."""
        descendants = descendants_of(self.pid)
        self._tree.end()
        for process in descendants:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # in the middle of a disk access that never ends
            self._process.wait(_GONE_S)
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._output.join()


class Adopted:
    """A service of ours that was started elsewhere: known by its process id and start time."""

    def __init__(self, pid: int) -> None:
        """Raises psutil.Error when there is none."""
        process = psutil.Process(pid)
        self._process = _started_by(process)
        self.pid: int = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its code is its parent's to know: 0 once it is gone."""
        return None if self._process.is_running() and not _is_zombie(self._process) else 0

    def last_lines(self) -> tuple[str, ...]:
        return ()

    def stop(self, timeout_s: float) -> bool:
        family = [self._process, *descendants_of(self.pid)]
        with contextlib.suppress(psutil.Error):
            self._process.terminate()
        _, alive = psutil.wait_procs(family[:1], timeout_s)
        end_all(family)
        return not alive

    def end(self) -> None:
        end_all([self._process, *descendants_of(self.pid)])


def descendants_of(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return found


def end_all(processes: list[psutil.Process], gone_s: float = _GONE_S) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, gone_s)


def _started_by(process: psutil.Process) -> psutil.Process:
    """The process that keeps it running: a worker of several would only be replaced by its parent."""
    with contextlib.suppress(psutil.Error):
        parent = process.parent()
        if parent and any("multiprocessing" in part for part in process.cmdline()):
            return parent
    return process


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True
