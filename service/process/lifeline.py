"""Ties a process to its supervisor: it stops when its standard input ends, and never outlives the supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int | None = None) -> None:
    """Linux: be killed when the process that started us ends. On Windows the supervisor's Job Object does that.

    `parent_pid`: who that has to be; when it is gone already, this process ends at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)


def on_end_of_input(stop: Callable[[], None]) -> None:
    """Call `stop` when standard input is closed: works the same with and without a console, on Windows and Linux."""

    def wait() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:  # closed under our feet: the same
            pass
        stop()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
