"""Copies a text to the clipboard, where there is one."""

from __future__ import annotations

import shutil
import subprocess
import sys

_LINUX = (("wl-copy",), ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))


def copy(words: str) -> bool:
    """Whether it is there now."""
    if sys.platform == "win32":
        # clip.exe reads UTF-16 when it begins with a byte order mark
        return _pipe(["clip.exe"], words.encode("utf-16"), subprocess.CREATE_NO_WINDOW)
    return any(_pipe(list(command), words.encode(), 0) for command in _LINUX if shutil.which(command[0]))


def _pipe(command: list[str], data: bytes, flags: int) -> bool:
    try:
        # xclip stays behind to hand the text out: its output must not be a pipe somebody waits for
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
            creationflags=flags,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
