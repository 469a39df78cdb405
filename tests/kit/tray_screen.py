"""A program with the real icon over a stand-in supervisor: states come in on stdin, clicks go out on stdout.

python tests/kit/tray_screen.py PORT DATA_ROOT LANGUAGE
"""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

# pystray draws a menu on Linux with the system's GTK only, which pip cannot install
sys.path.append("/usr/lib/python3/dist-packages")

from service.settings import Settings
from tests.kit.tray_twin import HEALTH, TwinSupervisor
from tray.icon.actions import Desktop
from tray.icon.app import App, run_icon
from tray.settings import TraySettings
from tray.supervise.program import page_url
from tray.supervise.status import State, Status

FROZEN = {"training_frozen": True, "frozen": {"by": "calidad", "station": "QA", "since_utc": "", "why": ""}}
STATES = {
    "ready": Status(State.READY, pid=7, health=HEALTH),
    "frozen": Status(State.READY, pid=7, health={**HEALTH, **FROZEN}),
    "starting": Status(State.STARTING, "starting", pid=7),
    "degraded": Status(State.DEGRADED, "disk_low", "The disk is almost full.", pid=7, health=HEALTH),
    "down": Status(State.DOWN, "gave_up", "It crashed."),
    "stopped": Status(State.STOPPED),
    "odd": Status(State.READY, pid=7, health={"latency_infer_ms": "fast"}),  # no service says this
}


class Told(TwinSupervisor):
    """Says on stdout what it was asked, and stays as it is."""

    def start(self) -> None:
        tell("start")

    def stop(self) -> None:
        tell("stop")

    def restart(self) -> None:
        tell("restart")


def tell(*words: object) -> None:
    print(json.dumps(words), flush=True)


def listen(supervisor: TwinSupervisor, ended: threading.Event) -> None:
    for number, line in enumerate(sys.stdin):
        name = line.strip()
        if name in STATES:  # another `since` each time, as of another moment
            supervisor.become(replace(STATES[name], since=float(number)))
    ended.set()


def main() -> None:
    port, data_root, language = sys.argv[1:]
    settings = Settings(BACKEND_DATA_ROOT=Path(data_root), BACKEND_PORT=int(port))  # type: ignore[call-arg]
    supervisor, ended = Told(STATES["starting"]), threading.Event()
    threading.Thread(target=listen, args=(supervisor, ended), daemon=True).start()

    def agree(_: str, question: str) -> bool:
        tell("asked", question)
        return True

    desktop = Desktop(
        ask=agree,
        tell=lambda _, words: tell("told", words),
        open_page=lambda url: tell("page", url),
        open_folder=lambda folder: tell("folder", str(folder)),
        copy=lambda _: False,
    )
    tray_settings = TraySettings(TRAY_LANGUAGE=language, TRAY_SCREENS=False)  # type: ignore[call-arg]
    url = page_url(settings, None)
    run_icon(partial(App, supervisor, settings, tray_settings, ended, url, desktop), ended)
    tell("ended")
    sys.stdout.flush()
    os._exit(0)  # the reader of stdin is blocked in it


if __name__ == "__main__":
    main()
