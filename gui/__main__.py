"""`python -m gui`: settings -> preferences -> client -> pages, made here and nowhere else."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

import uvicorn

from gui.gui import Gui
from gui.kit.words import Words
from gui.language import system_language
from gui.line.line import Line
from gui.pictures.served import Pictures
from gui.preferences import Preferences, PreferencesFile
from gui.service.client import Client, Target
from gui.service.jobs import Teaching
from gui.service.link import LinkWatch
from gui.settings import GuiSettings, read_gui_settings
from service.process import lifeline
from service.process.client import url_of
from service.process.logs import set_up_logs
from service.process.port import PortTaken, listen
from service.settings import Settings, SettingsError, read_settings

STOP_S = 3  # for open pages, which never end by themselves


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gui", description="The inspector's screens.")
    parser.add_argument("--supervised", type=int, metavar="PID", help="stop when standard input ends, or process PID")
    supervisor_pid = parser.parse_args(arguments).supervised
    try:
        settings = read_settings()
        serve(settings, read_gui_settings(settings), supervisor_pid)
    except (SettingsError, PortTaken) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(settings: Settings, gui_settings: GuiSettings, supervisor_pid: int | None = None) -> None:
    """Serve until asked to stop. Raises PortTaken."""
    if supervisor_pid is not None:
        lifeline.die_with_parent(supervisor_pid)
    listening = listen(gui_settings.host, gui_settings.port, "GUI_PORT")
    set_up_logs(
        settings.data_root / "logs", level=settings.log_level, max_mb=settings.log_max_mb, files=settings.log_files,
        days=settings.log_days, to_file=True, to_stderr=supervisor_pid is None, name="gui.log",
    )  # fmt: skip
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # INFO would be a line for each page that is opened
    from gui.app import create_app  # late, because NiceGUI takes seconds to load: the port is ours first

    config = uvicorn.Config(
        create_app(make_gui(settings, gui_settings)), log_config=None, access_log=False, loop="asyncio",
        timeout_graceful_shutdown=STOP_S,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    if supervisor_pid is not None:
        lifeline.on_end_of_input(stop)
    server.run(sockets=[listening])


def make_gui(settings: Settings, gui_settings: GuiSettings) -> Gui:
    folder = gui_settings.folder or settings.data_root / "gui"
    preferences = PreferencesFile(folder, defaults(settings))
    known = preferences.now
    client = Client(Target(known.backend_url, known.api_key, known.station))
    link, pictures = LinkWatch(client), Pictures()
    words, line = Words(lambda: preferences.now.language), Line(client, link, preferences, pictures, folder)
    return Gui(settings, gui_settings, preferences, client, link, words, pictures, Teaching(client), line)


def defaults(settings: Settings) -> Preferences:
    """Until a person chooses: the service of this PC, and the language of the PC."""
    return Preferences(
        backend_url=url_of(settings.host, settings.port),
        api_key=next(iter(settings.api_keys), ""),
        language=system_language(),
    )


if __name__ == "__main__":
    sys.exit(main())
