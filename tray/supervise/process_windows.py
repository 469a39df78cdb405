"""Holds a child and its descendants together on Windows: a Job Object that ends them when its handle closes."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from ctypes import wintypes
from typing import Any

import psutil

assert sys.platform == "win32"

_CREATE_SUSPENDED = 0x4
_EXTENDED_LIMITS = 9
_KILL_ON_JOB_CLOSE = 0x2000

# Suspended until it is in its job: nothing it starts can be outside. No console window flashes up.
CREATION: dict[str, Any] = {"creationflags": subprocess.CREATE_NO_WINDOW | _CREATE_SUSPENDED}


class _BasicLimits(ctypes.Structure):
    _fields_ = [
        ("process_time", ctypes.c_int64), ("job_time", ctypes.c_int64), ("flags", wintypes.DWORD),
        ("smallest_working_set", ctypes.c_size_t), ("largest_working_set", ctypes.c_size_t),
        ("processes", wintypes.DWORD), ("affinity", ctypes.c_size_t), ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
    ]  # fmt: skip


class _Limits(ctypes.Structure):
    _fields_ = [
        ("basic", _BasicLimits), ("io_counters", ctypes.c_uint64 * 6), ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t), ("process_peak", ctypes.c_size_t), ("job_peak", ctypes.c_size_t),
    ]  # fmt: skip


class Tree:
    """When this process ends in whatever way, the system closes the handle, and the job's processes with it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._job = _new_job()
        handle = int(process._handle)  # type: ignore[attr-defined]  # no public name for it
        if not _kernel32().AssignProcessToJobObject(self._job, handle):
            error = ctypes.WinError(ctypes.get_last_error())
            process.kill()
            raise error
        psutil.Process(process.pid).resume()

    def end(self) -> None:
        if self._job:
            _kernel32().TerminateJobObject(self._job, 1)
            _kernel32().CloseHandle(self._job)
            self._job = None


def _new_job() -> int | None:
    """Its handle is not inherited: a child that held it would keep itself alive."""
    job: int | None = _kernel32().CreateJobObjectW(None, None)
    limits = _Limits()
    limits.basic.flags = _KILL_ON_JOB_CLOSE
    if not job or not _kernel32().SetInformationJobObject(
        job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    return job


def _kernel32() -> Any:
    library = ctypes.WinDLL("kernel32", use_last_error=True)
    library.CreateJobObjectW.restype = wintypes.HANDLE
    library.CreateJobObjectW.argtypes = [ctypes.c_void_p, wintypes.LPCWSTR]
    library.SetInformationJobObject.argtypes = [wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD]
    for name, arguments in (
        ("AssignProcessToJobObject", [wintypes.HANDLE, wintypes.HANDLE]),
        ("TerminateJobObject", [wintypes.HANDLE, wintypes.UINT]),
        ("CloseHandle", [wintypes.HANDLE]),
    ):
        getattr(library, name).argtypes = arguments
    return library
