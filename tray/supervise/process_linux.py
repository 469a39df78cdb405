"""Holds a child and its descendants together on Linux: a session and process group of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any

assert sys.platform != "win32"

CREATION: dict[str, Any] = {"start_new_session": True}


class Tree:
    """What dies with us is the child's own affair: it asks the kernel for it before it does anything else."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._group = process.pid

    def end(self) -> None:
        """The number stays the group's as long as one member lives, and is not given to another process till then."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL)
