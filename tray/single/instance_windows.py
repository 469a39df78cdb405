"""One supervisor per PC on Windows: a named mutex, a named pipe, and a folder under ProgramData."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import wintypes
from pathlib import Path
from typing import Literal

assert sys.platform == "win32"

ADDRESS_FAMILY: Literal["AF_PIPE"] = "AF_PIPE"
_ALREADY_EXISTS = 183
_ACCESS_DENIED = 5
_DACL = 4 | 0x80000000  # DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION: nothing is inherited
# Full access for the owner, administrators (an installer that stops us) and the system; for nobody else.
_PRIVATE = "D:P(A;;FA;;;OW)(A;;FA;;;BA)(A;;FA;;;SY)"


def acquire() -> int | None:
    """`Global`: also of the sessions of other users. None when another process has it."""
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CreateMutexW.restype = wintypes.HANDLE
    kernel32.CreateMutexW.argtypes = [ctypes.c_void_p, wintypes.BOOL, wintypes.LPCWSTR]
    mutex: int | None = kernel32.CreateMutexW(None, False, "Global\\BrakeDiscTray")
    error = ctypes.get_last_error()
    if mutex and error != _ALREADY_EXISTS:
        return mutex
    if mutex:
        release(mutex)
    elif error != _ACCESS_DENIED:  # denied: it is there, and another user's
        raise ctypes.WinError(error)
    return None


def release(lock: int) -> None:
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CloseHandle.argtypes = [wintypes.HANDLE]
    kernel32.CloseHandle(lock)


def private_folder() -> Path:
    """The same for every user and whatever the data root: an installer stops the supervisor of another account."""
    folder = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "BrakeDisc" / "tray"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def address_in(folder: Path) -> str:  # noqa: ARG001  # pipes have a name space of their own
    return r"\\.\pipe\BrakeDiscTray"


def make_private(path: Path) -> None:
    """Raises OSError."""
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    if not advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ctypes.c_wchar_p(_PRIVATE), 1, ctypes.byref(descriptor), None
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        advapi32.SetFileSecurityW.argtypes = [wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p]
        if not advapi32.SetFileSecurityW(str(path), _DACL, descriptor):
            raise ctypes.WinError(ctypes.get_last_error())
    finally:
        kernel32 = ctypes.WinDLL("kernel32")
        kernel32.LocalFree.argtypes = [ctypes.c_void_p]
        kernel32.LocalFree(descriptor)
