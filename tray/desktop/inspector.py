"""Opens the inspector's page in a browser window of its own, without tabs and address bar."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

# Under the folders of installed programs; Edge comes with every Windows 10 and 11.
_WINDOWS_BROWSERS = (r"Microsoft\Edge\Application\msedge.exe", r"Google\Chrome\Application\chrome.exe")
_WINDOWS_FOLDERS = ("ProgramFiles(x86)", "ProgramFiles", "LOCALAPPDATA")
_LINUX_BROWSERS = ("microsoft-edge", "google-chrome", "chromium", "chromium-browser")
_APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths"


def open_page(url: str) -> None:
    """Returns at once. Edge and Chrome bring a window to the front that shows the page already."""
    browser = find_browser()
    if browser is not None:
        try:
            _start(page_command(browser, url))
            return
        except OSError as error:
            log.warning("%s cannot be started: %s", browser, error)
    if not webbrowser.open(url):
        raise OSError(f"No browser opens {url}")


def page_command(browser: str, url: str) -> list[str]:
    return [browser, f"--app={url}", "--no-first-run", "--no-default-browser-check"]


def find_browser() -> str | None:
    if sys.platform == "win32":
        return next(windows_browsers(os.environ, Path.is_file, _app_path), None)
    return next(filter(None, map(shutil.which, _LINUX_BROWSERS)), None)


def windows_browsers(
    environment: Mapping[str, str], is_file: Callable[[Path], bool], app_path: Callable[[str], str | None]
) -> Iterator[str]:
    """The installed browser, Edge before Chrome: from its usual folder, then from the registry."""
    for browser in _WINDOWS_BROWSERS:
        folders = [environment[name] for name in _WINDOWS_FOLDERS if environment.get(name)]
        usual = [f"{folder}\\{browser}" for folder in folders]
        said = app_path(browser.rpartition("\\")[2])
        yield from (path for path in (*usual, said) if path and is_file(Path(path)))


def _app_path(executable: str) -> str | None:
    if sys.platform != "win32":
        return None
    import winreg

    for hive in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        try:
            return str(winreg.QueryValue(hive, rf"{_APP_PATHS}\{executable}")).strip('"')
        except OSError:
            continue
    return None


def _start(command: list[str]) -> None:
    """The browser outlives the tray; a thread waits for it, or Linux would keep a dead entry of it."""
    nothing = subprocess.DEVNULL
    browser = subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    threading.Thread(target=browser.wait, name="browser", daemon=True).start()
