"""`python -m tray`: the supervisor with its icon, or without one, made here and nowhere else."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from gui.settings import read_gui_settings
from service.settings import Settings, SettingsError, default_data_root, read_settings
from tray.logs import limits_of, set_up_logs
from tray.settings import TraySettings, read_tray_settings
from tray.single import commands
from tray.single.control import ControlServer
from tray.single.instance import Instance
from tray.supervise.gpu_latch import GpuLatch, NoGpu
from tray.supervise.policy import RestartPolicy
from tray.supervise.program import Program, gui_program, page_url, service_program
from tray.supervise.rotation import Limits, RotatingFile
from tray.supervise.screens import WithScreens
from tray.supervise.supervisor import Supervisor

log = logging.getLogger("tray")


def main(arguments: Sequence[str] | None = None) -> int:
    _give_streams()
    asked = _parser().parse_args(arguments)
    try:
        if asked.stop:
            return commands.stop()
        if asked.status:
            return commands.status()
        if asked.start:
            return commands.start(["--headless"] if asked.headless else [])
        return run(headless=asked.headless)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def run(*, headless: bool) -> int:
    """Supervise until Quit. Raises SettingsError."""
    instance = Instance()
    if not instance.take():
        return commands.second_start()
    try:
        settings = read_settings()
        tray_settings = read_tray_settings(settings)
        set_up_logs(settings.data_root / "logs", limits_of(settings), settings.log_level)
        supervise(settings, tray_settings, headless=headless)
    except SettingsError as error:  # also into the log: a windowed program has no other place
        set_up_logs(Path(os.environ.get("BACKEND_DATA_ROOT") or default_data_root()) / "logs", Limits())
        log.error("settings", extra={"reason": str(error)})
        raise
    finally:
        instance.give_back()
        logging.shutdown()
    return 0


def supervise(settings: Settings, tray_settings: TraySettings, *, headless: bool) -> None:
    ended = threading.Event()
    logs, limits = settings.data_root / "logs", limits_of(settings)
    outputs = [RotatingFile(logs / name, limits) for name in ("service-output.log", "screens-output.log")]
    policy = RestartPolicy(tray_settings.max_crashes, tray_settings.crash_window_s)
    latch = GpuLatch(settings.data_root / "tray.json", time)
    service = Supervisor(lambda: service_program(read_settings()), outputs[0], latch, policy=policy)
    gui_settings = read_gui_settings(settings) if tray_settings.screens else None
    supervisor: Supervisor | WithScreens = service
    if gui_settings is not None:
        screens = Supervisor(_read_gui_program, outputs[1], NoGpu(), policy=policy)
        supervisor = WithScreens(service, screens)
    url = page_url(settings, gui_settings)
    control = ControlServer({
        "status": lambda: _status(supervisor),
        "start": supervisor.start,
        "stop": supervisor.stop,
        "restart": supervisor.restart,
        "open": lambda: _open_page(url, headless=headless),
        "quit": ended.set,
    })  # fmt: skip
    _on_signals(ended)
    supervisor.open()
    try:
        with _session(supervisor, ended):
            if headless:
                ended.wait()
            else:
                from tray.icon.app import App, run_icon  # imports pystray, which opens the display

                run_icon(partial(App, supervisor, settings, tray_settings, ended, url), ended)
    finally:
        supervisor.close()
        control.close()
        for output in outputs:
            output.close()
        log.info("ended")


def _read_gui_program() -> Program:
    settings = read_settings()
    return gui_program(settings, read_gui_settings(settings))


def _open_page(url: str, *, headless: bool) -> None:
    log.info("second start")
    if not headless:
        from tray.desktop.inspector import open_page

        open_page(url)


def _status(supervisor: Supervisor | WithScreens) -> Mapping[str, Any]:
    screens = dataclasses.asdict(supervisor.screens) if isinstance(supervisor, WithScreens) else None
    return {**dataclasses.asdict(supervisor.status), "screens": screens, "supervisor_pid": os.getpid()}


@contextmanager
def _session(supervisor: Supervisor | WithScreens, ended: threading.Event) -> Iterator[None]:
    """Log-off, shut-down, sleep and resume, which only Windows tells a program about through a window."""
    if sys.platform == "win32":
        from tray.desktop.session_windows import SessionWindow

        def end() -> None:
            supervisor.close()
            ended.set()

        with closing(SessionWindow(on_end=end, on_resume=supervisor.resumed)):
            yield
    else:
        yield


def _on_signals(ended: threading.Event) -> None:
    """A clean stop. In a thread: a handler runs in the middle of anything, also of the event's own lock."""
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: threading.Thread(target=ended.set).start())


def _give_streams() -> None:
    """A windowed Windows program has none, and what prints would fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for as long as we live


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tray", description="Keeps the inspection service running.")
    parser.add_argument("--headless", action="store_true", help="without an icon")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--start", action="store_true", help="start in the background, or start a stopped service")
    what.add_argument("--stop", action="store_true", help="end the service and the supervisor, and wait for it")
    what.add_argument("--status", action="store_true", help="print the state as JSON; exit code 3 when not running")
    return parser


if __name__ == "__main__":
    sys.exit(main())
