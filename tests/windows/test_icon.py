"""The icon in the task bar, used by mouse; what it looks like is kept in docs/images/windows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from desktop import Desktop
from machine import Machine, free_port, health, is_ready, wait_until

from tray.icon.menu import Colour

PORT, SCREENS = free_port(), free_port()
DATA = "drive_c/icon"
PICTURES = Path(__file__).parents[2] / "docs" / "images" / "windows"
READY_S = 180.0
PROGRAMS = ("BrakeDiscTray.exe", "BrakeDiscService.exe", "BrakeDiscInspector.exe")
BAR, MENU = (3, 29, 43, 49), (0, 0, 166, 310)


@pytest.fixture(scope="module")
def desktop(machine: Machine, programs: Path) -> Iterator[Desktop]:
    where = {"BACKEND_DATA_ROOT": r"C:\icon", "BACKEND_PORT": str(PORT), "GUI_PORT": str(SCREENS)}
    machine.start(programs / "BrakeDiscTray.exe", **where, TRAY_LANGUAGE="en")
    try:
        wait_until(lambda: is_ready(PORT), READY_S)
        yield Desktop(machine)
    finally:
        machine.run(programs / "BrakeDiscTray.exe", "--stop", **where)


def keep(desktop: Desktop, name: str, box: tuple[int, int, int, int]) -> None:
    """Only when asked: a picture that differs by a pixel is no news."""
    if os.environ.get("WINDOWS_KEEP_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        desktop.save(PICTURES / f"{name}.png", box)


def frozen() -> bool:
    return bool((health(PORT) or {})["training_frozen"])


def test_green_when_ready_and_no_other_window(desktop: Desktop) -> None:
    desktop.wait_for_icon(Colour.GREEN, 30)
    keep(desktop, "icon-green", BAR)
    assert desktop.windows() == []
    desktop.open_menu()
    keep(desktop, "menu", MENU)


def test_freeze_and_release(desktop: Desktop) -> None:
    desktop.choose("freeze")
    wait_until(frozen, 30)
    desktop.wait_for_icon(Colour.AMBER, 30)
    keep(desktop, "icon-amber", BAR)
    desktop.choose("unfreeze")
    wait_until(lambda: not frozen(), 30)
    desktop.wait_for_icon(Colour.GREEN, 30)


def test_back_up_now(desktop: Desktop, machine: Machine) -> None:
    desktop.choose("backup")
    wait_until(lambda: list((machine.prefix / DATA / "backups").glob("brakedisc-*.tar.gz")), 60)
    wait_until(lambda: (health(PORT) or {})["backup"]["last_success_utc"], 60)


def test_stop_asks_first_and_no_is_no(desktop: Desktop) -> None:
    question = desktop.question("stop")
    assert question.title == "BrakeDisc Inspector"
    keep(desktop, "question", (question.x, question.y, question.x + question.width, question.y + question.height))
    desktop.press(question, "Return")  # the default is no
    assert is_ready(PORT)


def test_stop_then_start(desktop: Desktop) -> None:
    desktop.press(desktop.question("stop"), "alt+y")
    desktop.wait_for_icon(Colour.GREY, 60)
    keep(desktop, "icon-grey", BAR)
    assert health(PORT) is None
    desktop.choose("start")
    desktop.wait_for_icon(Colour.AMBER, 30)
    desktop.wait_for_icon(Colour.GREEN, READY_S)
    assert is_ready(PORT)


def test_red_while_the_service_is_down(desktop: Desktop, machine: Machine) -> None:
    def kill_and_look() -> bool:
        for process in machine.processes("BrakeDiscService.exe"):
            process.kill()
        return desktop.icon() is Colour.RED

    wait_until(kill_and_look, 120)
    keep(desktop, "icon-red", BAR)
    assert desktop.boxes() == []


def test_quit_ends_everything(desktop: Desktop, machine: Machine) -> None:
    desktop.press(desktop.question("quit"), "alt+y")
    wait_until(lambda: not any(machine.processes(name) for name in PROGRAMS), 60)
    wait_until(lambda: desktop.icon() is None, 30)
