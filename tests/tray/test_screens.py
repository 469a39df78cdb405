"""The screens run beside the service, are started again when they crash, and go with the supervisor."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from gui.settings import GuiSettings
from service.settings import Settings
from tests.kit.parts import wait_until
from tests.kit.processes import free_port
from tests.kit.tray_parts import GENEROUS_S, is_gone
from tests.tray.test_commands import Tray
from tray.icon.menu import Colour, first_line, icon_colour
from tray.icon.menu import View as MenuView
from tray.supervise.program import page_url
from tray.supervise.screens import with_screens
from tray.supervise.status import State, Status

READY = Status(State.READY, pid=7, health={"status": "ok"})
GONE = Status(State.DOWN, "port_taken", "Another program uses port 8090.")


def test_screens_that_are_down_show_in_the_icon_of_a_ready_service() -> None:
    both = with_screens(READY, GONE)
    assert (both.state, both.code, both.reason, both.health) == (
        State.DEGRADED, "screens_down", GONE.reason, READY.health,
    )  # fmt: skip
    assert icon_colour(both) is Colour.AMBER
    assert "pantallas" in first_line(MenuView(both, "es"))


@pytest.mark.parametrize("screens", [READY, Status(State.STARTING), Status(State.STOPPED)])
def test_screens_without_a_fault_change_nothing(screens: Status) -> None:
    assert with_screens(READY, screens) == READY


@pytest.mark.parametrize("state", [State.DOWN, State.STOPPED, State.STARTING, State.DEGRADED])
def test_what_the_service_has_to_say_comes_first(state: State) -> None:
    service = replace(READY, state=state, code="disk_low")
    assert with_screens(service, GONE) == service


def test_the_page_that_is_opened_is_that_of_the_screens_where_there_are_some() -> None:
    settings = Settings(BACKEND_HOST="127.0.0.1", BACKEND_PORT=8000)  # type: ignore[call-arg]
    assert page_url(settings, None) == "http://127.0.0.1:8000/docs"
    gui_settings = GuiSettings(GUI_HOST="0.0.0.0", GUI_PORT=8090, GUI_STATIONS="10.0.0.0/8")  # type: ignore[call-arg]
    assert page_url(settings, gui_settings) == "http://127.0.0.1:8090/"


@pytest.fixture
def tray(tmp_path: Path, short_folder: Path) -> Iterator[Tray]:
    tray = Tray(tmp_path, short_folder, TRAY_SCREENS="true", GUI_PORT=str(free_port()))
    yield tray
    tray.run("--stop")


def screens_pid(tray: Tray) -> int:
    """The process that answers as the screens, once one does."""
    found: list[int] = []

    def answers() -> bool:
        try:
            found.append(httpx.get(f"http://127.0.0.1:{tray.environment['GUI_PORT']}/health", timeout=5).json()["pid"])
        except httpx.HTTPError:
            return False
        return True

    wait_until(answers, GENEROUS_S)
    return found[-1]


@pytest.mark.system
def test_screens_that_crash_come_back_and_stop_ends_them_too(tray: Tray) -> None:
    assert tray.run("--start", "--headless").returncode == 0
    first = screens_pid(tray)
    wait_until(lambda: tray.status()["screens"]["state"] == "ready", GENEROUS_S)
    psutil.Process(first).kill()
    wait_until(lambda: is_gone(first), GENEROUS_S)
    second = screens_pid(tray)
    assert second != first
    assert tray.run("--stop").returncode == 0
    wait_until(lambda: is_gone(second), GENEROUS_S)


@pytest.mark.system
def test_when_the_supervisor_is_killed_its_screens_go_with_it(tray: Tray) -> None:
    with subprocess.Popen([sys.executable, "-m", "tray", "--headless"], env=tray.environment) as process:
        try:
            screens = screens_pid(tray)
        finally:
            process.kill()
    wait_until(lambda: is_gone(screens), GENEROUS_S)
