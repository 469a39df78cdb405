"""`tray --stop | --status | --start`, and a second start: requests to the supervisor that runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from service.settings import read_settings
from tray.settings import read_tray_settings
from tray.single.control import NotRunning, ask
from tray.single.instance import end_it, running
from tray.supervise.program import tray_command

START_S = 30.0
# The service may take 10 s for what is under way, and its tree 5 s to go.
STOP_S = 30.0
NOT_RUNNING = 3
_DETACHED = 0x208 if sys.platform == "win32" else 0  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP


def stop() -> int:
    """End the service and the supervisor; returns when both are gone. 0 also when nothing ran."""
    process = running()
    try:
        ask("quit")
        wait_s = STOP_S
    except NotRunning:
        wait_s = 0.0  # if it is there at all, it does not listen
    if process is not None:
        _, alive = psutil.wait_procs([process], wait_s)
        if alive:
            end_it(process)
    return 0


def status() -> int:
    """The status as JSON; exit code 3 when none runs."""
    try:
        answer = {"running": True, **ask("status")}
    except NotRunning as error:
        answer = {"running": False, "reason": str(error)}
    print(json.dumps(answer, indent=1, ensure_ascii=False))
    return 0 if answer["running"] else NOT_RUNNING


def start(options: Sequence[str] = ()) -> int:
    """Start a supervisor that stays when we end, or tell the running one to start the service. Raises SettingsError."""
    try:
        ask("start")
        return 0
    except NotRunning:
        pass
    read_tray_settings(read_settings())  # said here: what is detached can tell nobody
    process = subprocess.Popen(
        [*tray_command(), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # outlives the terminal
        creationflags=_DETACHED,
    )
    return _until_it_answers("status", process)


def second_start() -> int:
    """Another one runs: it brings the inspector's page to the front."""
    return _until_it_answers("open")


def _until_it_answers(verb: str, process: subprocess.Popen[bytes] | None = None) -> int:
    deadline = time.monotonic() + START_S
    while True:
        try:
            ask(verb)
            return 0
        except NotRunning as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > deadline:
                print(f"{error} See logs/tray.log in the data root.", file=sys.stderr)
                return 1
        time.sleep(0.1)
