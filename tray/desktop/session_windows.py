"""A hidden window for what Windows tells only to windows: the session ends, the PC wakes up."""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

assert sys.platform == "win32"

WM_DESTROY, WM_CLOSE = 0x0002, 0x0010
WM_QUERYENDSESSION, WM_ENDSESSION = 0x0011, 0x0016
WM_POWERBROADCAST = 0x0218
PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC = 7, 18
CLASS_NAME = "BrakeDiscSession"
_REASON = "BrakeDisc Inspector: finishing the inspection under way / terminando la inspección en curso"
_READY_S = 10.0

log = logging.getLogger(__name__)

_LRESULT = ctypes.c_ssize_t
_Procedure = ctypes.WINFUNCTYPE(_LRESULT, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)


class _WindowClass(ctypes.Structure):
    _fields_ = [
        ("style", wintypes.UINT), ("procedure", _Procedure), ("class_extra", ctypes.c_int),
        ("window_extra", ctypes.c_int), ("instance", wintypes.HINSTANCE), ("icon", wintypes.HANDLE),
        ("cursor", wintypes.HANDLE), ("background", wintypes.HANDLE), ("menu", wintypes.LPCWSTR),
        ("name", wintypes.LPCWSTR),
    ]  # fmt: skip


class SessionWindow:
    """A top-level window that is never shown (a message-only one is not told), with its loop in a thread.

    `on_end` runs before Windows is answered, so the session ends when it has returned; it may take 20 s or so.
    """

    def __init__(self, on_end: Callable[[], None], on_resume: Callable[[], None]) -> None:
        self._on_end, self._on_resume = on_end, on_resume
        self._user32 = _user32()
        self._procedure = _Procedure(self._receive)  # kept: Windows calls it as long as the window lives
        self._window: int | None = None
        self._made = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session", daemon=True)
        self._thread.start()
        self._made.wait(_READY_S)

    def close(self) -> None:
        if self._window and threading.current_thread() is not self._thread:
            self._user32.PostMessageW(self._window, WM_CLOSE, 0, 0)
            self._thread.join(_READY_S)

    def _run(self) -> None:
        described = _WindowClass(procedure=self._procedure, name=CLASS_NAME)
        self._user32.RegisterClassW(ctypes.byref(described))
        self._window = self._user32.CreateWindowExW(
            0, CLASS_NAME, "BrakeDisc Inspector", 0, 0, 0, 0, 0, None, None, None, None
        )
        if not self._window:
            log.warning("no session window", extra={"error": ctypes.get_last_error()})
        self._made.set()
        message = wintypes.MSG()
        while self._window and self._user32.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            self._user32.DispatchMessageW(ctypes.byref(message))
        self._user32.UnregisterClassW(CLASS_NAME, None)

    def _receive(self, window: int, message: int, wparam: int, lparam: int) -> int:
        if message == WM_QUERYENDSESSION:
            self._user32.ShutdownBlockReasonCreate(window, _REASON)
            return 1
        if message == WM_ENDSESSION:
            if wparam:
                log.info("session ends")
                self._on_end()
            self._user32.ShutdownBlockReasonDestroy(window)
            return 0
        if message == WM_POWERBROADCAST and wparam in (PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC):
            log.info("resumed")
            self._on_resume()
            return 1
        if message == WM_DESTROY:
            self._user32.PostQuitMessage(0)
            return 0
        answer: int = self._user32.DefWindowProcW(window, message, wparam, lparam)
        return answer


def _user32() -> Any:
    library = ctypes.WinDLL("user32", use_last_error=True)
    message: Any = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
    library.DefWindowProcW.argtypes, library.DefWindowProcW.restype = message, _LRESULT
    library.PostMessageW.argtypes = message
    library.CreateWindowExW.restype = wintypes.HWND
    library.CreateWindowExW.argtypes = [
        wintypes.DWORD, wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD, *[ctypes.c_int] * 4,
        wintypes.HWND, wintypes.HMENU, wintypes.HINSTANCE, ctypes.c_void_p,
    ]  # fmt: skip
    library.GetMessageW.argtypes = [ctypes.POINTER(wintypes.MSG), wintypes.HWND, wintypes.UINT, wintypes.UINT]
    library.UnregisterClassW.argtypes = [wintypes.LPCWSTR, wintypes.HINSTANCE]
    library.ShutdownBlockReasonCreate.argtypes = [wintypes.HWND, wintypes.LPCWSTR]
    library.ShutdownBlockReasonDestroy.argtypes = [wintypes.HWND]
    return library
