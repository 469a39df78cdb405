"""Writing so that a crash, a power cut or a full disk leaves the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from service.errors import Conflict, DiskFull

TEMPORARY = ".tmp-"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_WINDOWS_FULL = (39, 112)  # ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL


def write_file(path: Path, data: bytes) -> None:
    """Temporary file in the same folder, flush, fsync, replace. Raises DiskFull; the old file stays then."""
    with full_disk_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / temporary_name()
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_after(path: Path, end: int, data: bytes) -> None:
    """Let `data` follow the first `end` bytes of a file in place of what stood there, and make it durable.

    Raises DiskFull; the first `end` bytes stay then.
    """
    with full_disk_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with open(path, "xb" if is_new else "r+b", buffering=0) as file:
            try:
                file.seek(end)
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                file.truncate()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    file.truncate(end)
                raise
        if is_new:
            sync_folder(path.parent)


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """JSON that carries the SHA-256 of its own content, so that `read_sealed` notices any change."""
    sealed = {**value, "sha256": _seal(value)}
    write_file(path, json.dumps(sealed, indent=1, ensure_ascii=False, allow_nan=False).encode())


def read_sealed(path: Path) -> dict[str, Any]:
    """Raises ValueError when the content is not what `write_sealed` wrote, FileNotFoundError when there is none."""
    value = json.loads(path.read_bytes())
    if not isinstance(value, dict) or value.pop("sha256", None) != _seal(value):
        raise ValueError(f"{path.name} was changed or damaged")
    return value


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder next to `path`, renamed to it at the end; on any error nothing remains."""
    with full_disk_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        building = path.parent / temporary_name()
        building.mkdir()
        try:
            yield building
            sync_folder(building)
            os.rename(building, path)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what a killed writer left; the caller holds the lock of the ROI whose folder this is."""
    if folder.is_dir():
        for leftover in folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def sweep_orphans(folder: Path) -> None:
    """Remove what killed processes left in a folder that several write to without a lock; called before we write."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        pid = leftover.name.removeprefix(TEMPORARY).partition("-")[0]
        if not pid.isdecimal() or int(pid) == os.getpid() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def roi_lock(locks: Path, role: str, roi: str, doing: str, timeout_s: float = 10.0) -> AbstractContextManager[None]:
    """One writer of an ROI (folder names) among all threads and processes; freed by the system when it is killed.

    Raises Conflict when it is still held after `timeout_s`.
    """
    refusal = f"{doing}: another change of this ROI is under way; try again when it has ended."
    return file_lock(locks / f"{role}.{roi}.lock", refusal, timeout_s)


@contextmanager
def file_lock(lock_file: Path, refusal: str, timeout_s: float = 10.0) -> Iterator[None]:
    """Raises Conflict with `refusal` when somebody else, in this process or another, holds it after `timeout_s`."""
    with full_disk_named(lock_file):
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file, timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout:
            raise Conflict(refusal) from None
    try:
        yield
    finally:
        lock.release()


def leader_lock(lock_file: Path) -> FileLock:
    """To be acquired by one of several processes, without waiting, and kept until it ends; by any of its threads."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(lock_file, timeout=0, thread_local=False)


def sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such call: NTFS journals its metadata."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Raises DiskFull for the operating system's errors that mean it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL or getattr(error, "winerror", None) in _WINDOWS_FULL:
            raise DiskFull(
                f"The disk of {path.anchor or path} is full: free some space; nothing was changed."
            ) from error
        raise


def temporary_name() -> str:
    """Of a file or folder that is not finished: `sweep` removes it when its writer was killed."""
    return f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex}"


def _seal(value: dict[str, Any]) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())
