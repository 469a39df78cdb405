"""Windows' message box, above all windows; the Enter key answers No."""

from __future__ import annotations

import ctypes
import sys

assert sys.platform == "win32"

_YES_NO, _WARNING, _INFORMATION = 0x4, 0x30, 0x40
_DEFAULT_IS_NO, _FOREGROUND, _TOPMOST = 0x100, 0x10000, 0x40000
_ID_YES = 6


def message_box(title: str, words: str, *, yes_no: bool) -> bool:
    """Whether Yes was pressed. Blocks the calling thread only."""
    style = (_YES_NO | _WARNING | _DEFAULT_IS_NO) if yes_no else _INFORMATION
    pressed = ctypes.windll.user32.MessageBoxW(None, words, title, style | _FOREGROUND | _TOPMOST)
    return bool(pressed == _ID_YES)
