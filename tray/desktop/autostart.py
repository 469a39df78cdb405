"""Start of the tray when this user logs on: the Run key of Windows; unavailable elsewhere."""

from __future__ import annotations

import subprocess
import sys

from tray.supervise.program import tray_command

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
_VALUE = "BrakeDiscInspector"


def is_on() -> bool | None:
    """None where it does not exist."""
    if sys.platform != "win32":
        return None
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _KEY) as key:
            return bool(winreg.QueryValueEx(key, _VALUE)[0])
    except FileNotFoundError:
        return False


def switch(on: bool) -> None:
    """Raises OSError, also where it does not exist."""
    if sys.platform != "win32":
        raise OSError("Starting at log-on is a thing of Windows; elsewhere use the desktop's own settings.")
    import winreg

    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _KEY) as key:
        if on:
            winreg.SetValueEx(key, _VALUE, 0, winreg.REG_SZ, command_line(tray_command()))
        elif is_on():
            winreg.DeleteValue(key, _VALUE)


def command_line(command: list[str]) -> str:
    """One line, quoted for Windows. From a checkout: pythonw, which opens no console window."""
    program, *arguments = command
    if program.lower().endswith("python.exe"):
        program = f"{program[: -len('python.exe')]}pythonw.exe"
    return subprocess.list2cmdline([program, *arguments])
