"""One supervisor per PC on Linux: a lock and a private folder among the temporary files."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from pathlib import Path
from typing import Literal

assert sys.platform != "win32"

ADDRESS_FAMILY: Literal["AF_UNIX"] = "AF_UNIX"


def acquire() -> int | None:
    """A lock of the whole PC, freed by the kernel when we end; None when another process has it."""
    path = Path(tempfile.gettempdir()) / "brakedisc-tray.lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:  # made by another person: reading is enough to lock
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def release(lock: int) -> None:
    os.close(lock)


def private_folder() -> Path:
    """A folder of this user alone. Raises PermissionError when another user made it and could read it."""
    folder = Path(tempfile.gettempdir()) / f"brakedisc-tray-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is not this user's alone: remove it.")
    return folder


def address_in(folder: Path) -> str:
    return str(folder / "control")


def make_private(path: Path) -> None:
    """The mode it was made with is enough."""
