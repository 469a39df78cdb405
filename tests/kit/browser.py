"""Real Chromium before the real inspector and the service on the engine's twin: what the tests of screens share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from tests.kit.parts import wait_until
from tests.kit.processes import free_port

ROOT = Path(__file__).parents[2]
GENEROUS_S = 60.0
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/google-chrome")


@dataclass
class Inspector:
    """A data root, the service over it and the screens before it, each a process of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    service_port: int = field(default_factory=free_port)
    gui_port: int = field(default_factory=free_port)
    service: subprocess.Popen[bytes] | None = None
    gui: subprocess.Popen[bytes] | None = None

    @property
    def data_root(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.gui_port}"

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    def start_service(self, module: str = "tests.kit.twin_service") -> None:
        """`service` instead of the twin for the real engine."""
        self.service = self._start(module)
        wait_until(lambda: _answers(f"{self.service_url}/health"), GENEROUS_S)

    def stop_service(self, *, kill: bool = False) -> None:
        _end(self.service, kill)
        self.service = None

    def start_gui(self) -> None:
        self.gui = self._start("gui")
        wait_until(lambda: _answers(f"{self.url}/health"), GENEROUS_S)

    def stop_gui(self) -> None:
        _end(self.gui, False)
        self.gui = None

    def _start(self, module: str) -> subprocess.Popen[bytes]:
        variables = {
            **os.environ, "BACKEND_DATA_ROOT": str(self.data_root), "BACKEND_PORT": str(self.service_port),
            "GUI_PORT": str(self.gui_port), "BACKEND_MIN_FREE_MB": "0", "BACKEND_INPUT_SIZE": "128",
            "BACKEND_BACKUP_HOUR": "-1", "LC_ALL": "C.UTF-8", **self.environment,
        }  # fmt: skip
        self.folder.mkdir(exist_ok=True)
        with open(self.folder / f"{module}.out", "ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )


@contextmanager
def inspector(
    folder: Path, environment: Mapping[str, str] | None = None, *, service: bool = True
) -> Iterator[Inspector]:
    made = Inspector(folder, dict(environment or {}))
    try:
        if service:
            made.start_service()
        made.start_gui()
        yield made
    finally:
        made.stop_gui()
        made.stop_service()


@contextmanager
def chromium() -> Iterator[Browser]:
    executable = next(filter(os.path.exists, CHROMIUM))
    expect.set_options(timeout=GENEROUS_S * 1000)  # the default of 5 s is short for a machine that does other things
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def open_page(browser: Browser, url: str, *, width: int = 1280, height: int = 800, touch: bool = False) -> Page:
    """A page whose script errors fail the test that looks at `page.errors`, drawn and connected."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", has_touch=touch)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: _note(errors, message))
    page.errors = errors  # type: ignore[attr-defined]
    page.set_default_timeout(GENEROUS_S * 1000)
    page.goto(url)
    connected(page)
    return page


def leave(page: Page) -> None:
    """As one who closes the tab: its connection ends. Closing the context itself hangs for ever now and then, on a
    machine that has much to do; the browser ends with its module."""
    page.goto("about:blank")


def connected(page: Page) -> None:
    """Wait until the page's own socket is open: what is clicked before is lost."""
    page.wait_for_function("() => window.socket?.connected")


def speak(page: Page, language: str) -> None:
    """Change the language, and wait for the page that comes then: until it does the one before is there, connected, and
    what looks at it loses its ground under the look."""
    with page.expect_navigation():
        by(page, f"language-{language}").click()
    connected(page)


def by(page: Page, name: str) -> Locator:
    """The element that the screen gave that `data-testid`."""
    return page.get_by_test_id(name)


def cut_off(page: Page) -> list[str]:
    """Texts of buttons and labels that do not fit into their box, and what sticks out of the window: none should."""
    found: list[str] = page.evaluate(_CUT_OFF)
    return found


_CUT_OFF = """() => {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth + 1) found.push('page is wider than the window');
  for (const e of document.querySelectorAll('.q-btn, .q-btn__content, .q-field__label, .q-tab, .fits')) {
    const r = e.getBoundingClientRect();
    if (!r.width || getComputedStyle(e).visibility === 'hidden') continue;
    if (e.scrollWidth > e.clientWidth + 2) found.push('cut off: ' + e.textContent.trim().slice(0, 60));
    if (r.right > innerWidth + 1 || r.left < -1) found.push('outside: ' + e.textContent.trim().slice(0, 60));
  }
  return found;
}"""


def _note(errors: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        errors.append(f"{message.text} {message.location.get('url', '')}".rstrip())


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code in (200, 503)
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes] | None, kill: bool) -> None:
    if process is None:
        return
    if kill:
        process.kill()
    else:
        process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
