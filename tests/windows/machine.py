"""A Windows of its own to install the product on: a prefix of Wine, its processes, and what answers on its ports."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import wine  # noqa: E402

PROGRAMS = "drive_c/Program Files/BrakeDisc Inspector"


class Machine:
    """`folder`: where its C: drive and what programs print are kept; `read`: folders it may read besides;
    `user`: on Linux, the number of the one who runs everything."""

    def __init__(self, wine_root: Path, folder: Path, *read: Path, user: int = 0) -> None:
        self.wine_root, self.folder, self.prefix = wine_root, folder, folder / "prefix"
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, user, user)
        self._wine = wine.Wine(wine_root, self.prefix, (folder, *read), user)
        # one display for all of its programs: Windows' own desktop stays on the first it sees
        self._display = f":{100 + os.getpid() % 900}"
        self.environment: dict[str, str] = {"DISPLAY": self._display}
        self._started = [self._popen(["Xvfb", self._display, "-screen", "0", "1280x800x24", "-nolisten", "tcp"], {})]
        self._printed = 0

    @property
    def installed(self) -> Path:
        return self.prefix / PROGRAMS

    @property
    def app(self) -> Path:
        return self.installed / "app"

    def run(self, program: Path, *words: str, timeout_s: float = 900, **environment: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        process, printed = self._start(program, words, environment)
        try:
            return process.wait(timeout_s), printed.read_text("utf-8", "replace")
        finally:
            if process.poll() is None:
                process.kill()

    def start(self, program: Path, *words: str, **environment: str) -> Path:
        """In the background; the file that gets what it prints."""
        process, printed = self._start(program, words, environment)
        self._started.append(process)
        return printed

    def inside(self, *command: str) -> str:
        """What a Linux program prints that looks at this Windows' display."""
        return self._wine.bash(command, self.folder, self.environment, timeout_s=120, capture=True).stdout

    def _start(
        self, program: Path, words: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[subprocess.Popen[bytes], Path]:
        self._printed += 1
        printed = self.folder / f"printed-{self._printed:02}-{program.stem}.txt"
        script = f'exec wine "$0" "$@" < <(exec sleep 3600) > "{printed}" 2>&1'
        command = ["bash", "-c", script, wine.windows_path(program), *words]
        process = self._popen(command, environment)
        return process, printed

    def _popen(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._wine.entering(command), env=self._wine.environment(self.folder, {**self.environment, **environment}),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def browser(self) -> Callable[[], str]:
        """From now on, pages that a program opens are only noted: gives the addresses so far."""
        noted, script = self.folder / "opened.txt", self.folder / "browser.sh"
        script.write_text(f'#!/bin/sh\necho "$1" >> "{noted}"\n')
        script.chmod(0o755)
        reg = self.prefix / "drive_c/windows/system32/reg.exe"
        key = r"HKEY_CURRENT_USER\Software\Wine\WineBrowser"
        assert self.run(reg, "add", key, "/v", "Browsers", "/d", str(script), "/f")[0] == 0
        return lambda: noted.read_text("utf-8") if noted.exists() else ""

    def processes(self, name: str) -> list[psutil.Process]:
        """Those of this Windows with that program."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            command, environment = process.info["cmdline"] or [""], process.info["environ"] or {}
            if command[0].replace("\\", "/").endswith(f"/{name}") and environment.get("WINEPREFIX") == str(self.prefix):
                found.append(process)
        return found

    def close(self) -> None:
        self._wine.stop()
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def health(port: int) -> dict[str, Any] | None:
    """Whatever it says; None when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        found = json.loads(error.read())
    except (OSError, ValueError):
        return None
    return found


def is_ready(port: int) -> bool:
    return (health(port) or {}).get("status") in ("ok", "degraded")


def wait_until(condition: Callable[[], object], timeout_s: float) -> float:
    """Seconds that it took. Raises TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout_s:
            raise TimeoutError(f"not within {timeout_s:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - started
