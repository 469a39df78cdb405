"""The real icon and its opened menu on a display of the test's own: looked at as pixels, driven by mouse and keys."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageColor, ImageGrab
from Xlib.display import Display

from tests.kit.parts import wait_until
from tests.kit.tray_twin import TwinService, twin_service
from tray.icon.drawing import FILL
from tray.icon.menu import Colour

ROOT = Path(__file__).parents[2]
PROGRAMS = ("Xvfb", "trayer", "xdotool", "dbus-run-session")  # Debian: xvfb trayer xdotool dbus-daemon
GTK = Path("/usr/lib/python3/dist-packages/gi")  # Debian: python3-gi gir1.2-gtk-3.0
MISSING = [name for name in PROGRAMS if not shutil.which(name)] + ([] if GTK.is_dir() else ["python3-gi"])
GENEROUS_S = 60
NOWHERE = (5, 590)  # of the screen: no icon, no menu

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="an X display of its own"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


class Screen:
    """What a person sees and does."""

    def __init__(self, display: str, process: subprocess.Popen[str], service: TwinService) -> None:
        self._display, self._process, self.service = display, process, service
        self._said: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def become(self, state: str) -> None:
        assert self._process.stdin
        print(state, file=self._process.stdin, flush=True)

    def look(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self._display)

    def icon(self) -> tuple[Colour, tuple[int, int]] | None:
        """The icon's colour and place, once it is there."""
        data = self.look().crop((700, 0, 800, 24)).tobytes()  # RGB
        pixels = [tuple(data[index : index + 3]) for index in range(0, len(data), 3)]
        for colour, fill in FILL.items():
            like = [index for index, pixel in enumerate(pixels) if pixel == ImageColor.getrgb(fill)]
            if len(like) > 80:
                middle = like[len(like) // 2]
                return colour, (700 + middle % 100, 12)
        return None

    def shows(self, colour: Colour) -> Callable[[], bool]:
        return lambda: (self.icon() or (None,))[0] is colour

    def click_icon(self, button: int) -> None:
        found = self.icon()
        assert found
        self.do("mousemove", *map(str, found[1]), "click", str(button))

    def menu(self) -> tuple[int, int, int, int] | None:
        """Where the opened menu is: everything below the tray that is not the empty screen."""
        return self.look().crop((0, 26, 800, 600)).convert("L").point(lambda grey: 255 if grey > 8 else 0).getbbox()

    def keys(self, *names: str) -> None:
        for name in names:
            self.do("key", name)
            time.sleep(0.1)

    def do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True, env={**os.environ, "DISPLAY": self._display}, timeout=30)

    def said(self) -> list[str]:
        return self._said.get(timeout=GENEROUS_S)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._said.put(json.loads(line))


@contextmanager
def running(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """The whole group goes at the end: a session bus starts helpers that hold our pipes and outlive it."""
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)  # type: ignore[call-overload]
    with process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def a_display() -> Iterator[str]:
    """An X server on a number that was free: it says itself which."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"]
    with running(command, pass_fds=[writing], stderr=subprocess.DEVNULL), os.fdopen(reading) as said:
        os.close(writing)
        yield f":{said.readline().strip()}"


def has_tray(display: str) -> bool:
    """Whether somebody offers to take icons in."""
    connection = Display(display)
    try:
        owner: object = connection.get_selection_owner(connection.intern_atom("_NET_SYSTEM_TRAY_S0"))
        return bool(owner)
    finally:
        connection.close()


@contextmanager
def a_screen(tmp_path: Path, language: str) -> Iterator[Screen]:
    with ExitStack() as stack:
        service = stack.enter_context(twin_service())
        service.backups += [{"name": "brakedisc-1.tar.gz", "created_utc": "2026-03-01T02:00:00Z", "version": "0.1.0"}]
        display = stack.enter_context(a_display())
        environment = {
            **os.environ,
            "DISPLAY": display,
            "PYSTRAY_BACKEND": "gtk",
            "PYTHONPATH": str(ROOT),
            "NO_AT_BRIDGE": "1",
        }
        quiet = {"env": environment, "stderr": subprocess.DEVNULL}
        tray = ["trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "24"]
        stack.enter_context(running(tray, stdout=subprocess.DEVNULL, **quiet))
        wait_until(lambda: has_tray(display), GENEROUS_S)
        program = [sys.executable, "tests/kit/tray_screen.py", str(service.port), str(tmp_path), language]
        process = stack.enter_context(
            running(
                ["dbus-run-session", "--", *program],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                **quiet,
            )
        )
        screen = Screen(display, process, service)
        screen.do("mousemove", *map(str, NOWHERE))
        try:
            wait_until(screen.shows(Colour.AMBER), GENEROUS_S)
        finally:
            screen.look().save(tmp_path / "first.png")
        yield screen


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    with a_screen(tmp_path, "en") as screen:
        yield screen


def opened(screen: Screen) -> tuple[int, int, int, int]:
    screen.click_icon(3)
    wait_until(screen.menu, GENEROUS_S)
    found = screen.menu()
    assert found
    return found


@pytest.mark.fast
def test_the_icon_changes_its_colour_with_the_state(screen: Screen, tmp_path: Path) -> None:
    for state, colour in {
        "ready": Colour.GREEN,
        "frozen": Colour.AMBER,
        "down": Colour.RED,
        "stopped": Colour.GREY,
        "degraded": Colour.AMBER,
    }.items():
        screen.become(state)
        wait_until(screen.shows(colour), GENEROUS_S)
        screen.look().save(tmp_path / f"{state}.png")


def test_a_click_opens_the_inspector(screen: Screen) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    screen.click_icon(1)
    assert screen.said() == ["page", f"http://127.0.0.1:{screen.service.port}/docs"]


def test_the_opened_menu_is_driven_by_keys(screen: Screen, tmp_path: Path) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    left, top, right, bottom = opened(screen)
    screen.look().save(tmp_path / "menu.png")
    assert right - left > 150  # fifteen lines of text, not a scrap
    assert bottom - top > 300
    screen.keys("Down", "Down", "Return")  # what is grey is passed over: Open inspector, then Stop
    assert screen.said()[0] == "asked"
    assert screen.said() == ["stop"]


def test_what_is_grey_cannot_be_clicked(screen: Screen) -> None:
    screen.become("stopped")
    wait_until(screen.shows(Colour.GREY), GENEROUS_S)
    opened(screen)
    screen.keys("Down", "Return")  # the state, the inspector: grey; the first that can be done is Start
    assert screen.said() == ["start"]


def test_freezing_reaches_the_service(screen: Screen) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    opened(screen)
    screen.keys("Down", "Down", "Down", "Down", "Return")  # Open, Stop, Restart, Training: freeze
    wait_until(lambda: "POST /admin/freeze" in screen.service.asked, GENEROUS_S)


def test_quitting_ends_the_program(screen: Screen) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    opened(screen)
    screen.keys("Up", "Return")
    assert screen.said()[0] == "asked"
    assert screen.said() == ["ended"]
    assert screen._process.wait(GENEROUS_S) == 0


def test_an_icon_that_cannot_show_the_state_goes_instead_of_staying_green(screen: Screen) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    screen.become("odd")
    wait_until(lambda: screen.icon() is None, GENEROUS_S)
    assert screen._process.poll() is None  # and the supervisor goes on


def test_the_menu_speaks_spanish_and_looks_it(screen: Screen, tmp_path: Path) -> None:
    screen.become("ready")
    wait_until(screen.shows(Colour.GREEN), GENEROUS_S)
    opened(screen)
    english = screen.look()
    screen.keys("Escape")
    with a_screen(tmp_path, "es") as spanish:
        spanish.become("ready")
        wait_until(spanish.shows(Colour.GREEN), GENEROUS_S)
        opened(spanish)
        spanish.look().save(tmp_path / "menu-es.png")
        assert ImageChops.difference(english, spanish.look()).getbbox()
