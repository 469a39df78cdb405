"""One supervisor per PC: its process, its address, and how it is ended when it no longer listens.

None of this needs the settings: a supervisor can be stopped whatever they say.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path

import psutil

from tray.supervise.process import end_all

if sys.platform == "win32":
    from tray.single.instance_windows import ADDRESS_FAMILY, acquire, address_in, make_private, private_folder, release
else:
    from tray.single.instance_linux import ADDRESS_FAMILY, acquire, address_in, make_private, private_folder, release

__all__ = ["ADDRESS_FAMILY", "Instance", "address", "end_it", "read_key", "running"]

_END_S = 10.0


class Instance:
    """Being the one supervisor. Freed by the system when we are killed: what its files say is then known to be old."""

    def __init__(self) -> None:
        self._lock: int | None = None

    def take(self) -> bool:
        """False when another one runs."""
        self._lock = acquire()
        if self._lock is None:
            return False
        folder = private_folder()
        _write_private(folder / "key", secrets.token_bytes(32))
        me = psutil.Process()
        _write_private(folder / "process.json", json.dumps([me.pid, me.create_time()]).encode())
        if sys.platform != "win32":  # left by one that was killed; nobody else can be listening
            Path(address()).unlink(missing_ok=True)
        return True

    def give_back(self) -> None:
        if self._lock is not None:
            for name in ("process.json", "key"):
                (private_folder() / name).unlink(missing_ok=True)
            release(self._lock)
            self._lock = None


def address() -> str:
    return address_in(private_folder())


def read_key() -> bytes:
    """The secret of the running supervisor. Raises OSError when there is none, or when it is another person's."""
    return (private_folder() / "key").read_bytes()


def running() -> psutil.Process | None:
    """The supervisor that wrote its file, when it is still that process and not another one with its number."""
    try:
        pid, created = json.loads((private_folder() / "process.json").read_bytes())
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 1 and process.is_running() else None
    except (OSError, ValueError, TypeError, psutil.Error):
        return None


def end_it(process: psutil.Process) -> None:
    """End a supervisor that does not listen, together with the programs it supervises."""
    family = [process, *process.children(recursive=True)]
    with contextlib.suppress(psutil.Error):
        process.terminate()
    psutil.wait_procs(family, _END_S)
    end_all(family, _END_S)


def _write_private(path: Path, data: bytes) -> None:
    """Readable by its owner alone before the first byte is in it."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        make_private(path)
        os.write(handle, data)
    finally:
        os.close(handle)
