"""Shows a view as the icon. The only file that imports pystray, whose import opens the display."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from tray.icon.drawing import icon_image
from tray.icon.menu import SEPARATOR, Colour, Entry, cut

# NOTIFYICONDATA: szInfo has 256 UTF-16 units, szInfoTitle 64, the last of each is 0
_NOTE_LIMIT, _NOTE_TITLE_LIMIT = 255, 63
_LINUX_BACKENDS = ("appindicator", "gtk", "xorg")
log = logging.getLogger(__name__)


class NoIcon(Exception):
    """There is no tray here: no display, or no library for it."""


class TrayIcon:
    """`do(action, argument)` is called for each click, in the icon's thread: it has to return at once."""

    def __init__(self, name: str, title: str, do: Callable[[str, str], object]) -> None:
        """Raises NoIcon."""
        self._pystray = _load_pystray()
        self._title, self._do = title, do
        self._stopped = threading.Event()
        self._icon: Any = self._pystray.Icon(name, icon_image(Colour.GREY), title)
        self._shown: dict[str, object] = {}

    def run(self) -> None:
        """Blocks, in the main thread, until `stop`."""
        try:
            self._icon.run()
        except RuntimeError as error:  # GLib's error on the way out, where no notification service runs
            if not self._stopped.is_set():
                raise
            log.debug("icon ended: %s", error)

    def stop(self) -> None:
        self._stopped.set()
        self._icon.stop()

    def hide(self) -> None:
        self._icon.visible = False

    def update(self, entries: Sequence[Entry], colour: Colour, tooltip: str) -> None:
        """Updates only changed parts; an open menu stays as it is until the next call after it was closed."""
        self._apply("icon", colour, lambda: setattr(self._icon, "icon", icon_image(colour)))
        self._apply("title", tooltip, lambda: setattr(self._icon, "title", tooltip))
        if not _menu_is_open():
            self._apply("menu", tuple(entries), lambda: setattr(self._icon, "menu", self._menu(entries)))

    def notify(self, words: str) -> None:
        if not self._icon.HAS_NOTIFICATION:
            log.info("notification: %s", words)
            return
        try:
            self._icon.notify(cut(words, _NOTE_LIMIT), cut(self._title, _NOTE_TITLE_LIMIT))
        except OSError as error:
            log.warning("notification not shown: %s: %s", error, words)

    def _apply(self, what: str, value: object, change: Callable[[], None]) -> None:
        if self._shown.get(what) == value:
            return
        try:
            change()
        except OSError as error:  # no room for pystray's temporary .ico: again with the next update
            log.debug("%s not shown: %s", what, error)
            return
        self._shown[what] = value

    def _menu(self, entries: Sequence[Entry]) -> Any:
        return self._pystray.Menu(*map(self._item, entries))

    def _item(self, entry: Entry) -> Any:
        if entry == SEPARATOR:
            return self._pystray.Menu.SEPARATOR
        return self._pystray.MenuItem(
            _label(entry.text),
            self._menu(entry.entries) if entry.entries else lambda: self._do(entry.action, entry.argument),
            checked=None if entry.checked is None else lambda _: bool(entry.checked),
            radio=entry.radio,
            default=entry.default,
            enabled=entry.enabled,
        )


def _label(words: str) -> str:
    """Windows underlines the letter behind a single &."""
    return words.replace("&", "&&") if sys.platform == "win32" else words


def _menu_is_open() -> bool:
    """Whether Windows shows a menu of ours: replacing it would take it away under the operator's hand."""
    if sys.platform != "win32":
        return False
    import ctypes

    user32, owner = ctypes.windll.user32, ctypes.c_ulong()
    user32.GetWindowThreadProcessId(user32.FindWindowW("#32768", None), ctypes.byref(owner))
    return owner.value == os.getpid()


def _load_pystray() -> ModuleType:
    """Raises NoIcon. On Linux pystray takes a library that is half there for a whole one, so it is told which."""
    if sys.platform == "win32":
        return importlib.import_module("pystray")
    wanted = os.environ.get("PYSTRAY_BACKEND")
    # without a session bus, GTK's icon breaks off when it starts, and its thread waits for ever
    usable = [wanted] if wanted else [name for name in _LINUX_BACKENDS if name == "xorg" or _has_session_bus()]
    missing = (ImportError, ValueError, importlib.import_module("Xlib.error").DisplayError)
    for backend in usable:
        os.environ["PYSTRAY_BACKEND"] = backend
        try:
            return importlib.import_module("pystray")
        except missing as error:
            log.debug("no tray by %s: %s", backend, error)
    raise NoIcon("no display, or none of the libraries that draw a tray icon")


def _has_session_bus() -> bool:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or (bool(runtime) and os.path.exists(f"{runtime}/bus"))
