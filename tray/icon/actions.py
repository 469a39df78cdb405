"""Actions of the menu, each in a thread of its own: the icon never waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service import __version__
from service.settings import Settings
from tray.client import NoAnswer, Refused, Unclear, client_of
from tray.desktop import autostart, clipboard, dialogs, folders, inspector
from tray.desktop.dialogs import NoDialog
from tray.diagnostics.diagnostics import default_folder, write_diagnostics
from tray.icon.menu import View, local_time
from tray.language import choose
from tray.supervise.status import Supervision
from tray.texts import LANGUAGES, Language, refusal, text

log = logging.getLogger(__name__)
ASK_FIRST = ("stop", "restart", "restore", "quit")  # they stop a line or replace data
_EXCLUSIVE = ("freeze", "unfreeze", "backup", "restore", "diagnostics")  # shown as under way; one at a time
_JOIN_S = 3.0


class Screen(Protocol):
    """The part of the icon that an action shows on and changes."""

    @property
    def view(self) -> View: ...

    def change(self, **fields: object) -> None:
        """Other values of the view's fields."""

    def say(self, words: str) -> None:
        """A notification."""

    def backups_changed(self) -> None: ...

    def quit(self) -> None: ...


@dataclass(frozen=True)
class Desktop:
    """The PC as actions use it; a test hands in one that notes each call."""

    ask: Callable[[Language, str], bool] = dialogs.ask
    tell: Callable[[Language, str], None] = dialogs.tell
    open_page: Callable[[str], None] = inspector.open_page
    open_folder: Callable[[Path], None] = folders.open_folder
    copy: Callable[[str], bool] = clipboard.copy
    diagnostics_folder: Callable[[Settings], Path] = default_folder


class Actions:
    def __init__(
        self,
        supervisor: Supervision,
        settings: Settings,
        screen: Screen,
        page_url: str,
        desktop: Desktop | None = None,
    ) -> None:
        self._supervisor, self._settings, self._screen = supervisor, settings, screen
        self._page_url, self._desktop = page_url, desktop or Desktop()
        self._closing = threading.Event()
        self._client = client_of(settings, self._closing.is_set)
        self._lock = threading.Lock()  # guards _under_way
        self._under_way: dict[str, threading.Thread] = {}
        self._table: Mapping[str, Callable[[str], None]] = {
            "open": lambda _: self._desktop.open_page(self._page_url),
            "start": lambda _: self._supervisor.start(),
            "stop": lambda _: self._supervisor.stop(),
            "restart": lambda _: self._supervisor.restart(),
            "freeze": self._freeze,
            "unfreeze": self._unfreeze,
            "backup": self._back_up,
            "restore": self._restore,
            "logs": lambda _: self._desktop.open_folder(self._settings.data_root / "logs"),
            "data": lambda _: self._desktop.open_folder(self._settings.data_root),
            "diagnostics": self._diagnostics,
            "autostart": self._autostart,
            "language": self._language,
            "about": self._about,
            "quit": lambda _: self._screen.quit(),
        }

    def do(self, action: str, argument: str = "") -> bool:
        """Start it; False when the same, or another long one, is under way already."""
        slot = "exclusive" if action in _EXCLUSIVE else action
        with self._lock:
            if slot in self._under_way or self._closing.is_set():
                return False
            thread = threading.Thread(
                target=self._run, args=(slot, action, argument), name=f"menu-{action}", daemon=True
            )
            self._under_way[slot] = thread
        thread.start()
        return True

    def wait(self, timeout_s: float) -> None:
        """Wait until running actions have ended."""
        with self._lock:
            threads = list(self._under_way.values())
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout_s)

    def close(self) -> None:
        """Does not wait for an unanswered question, nor for a backup that the service goes on with."""
        self._closing.set()
        self.wait(_JOIN_S)

    def _run(self, slot: str, action: str, argument: str) -> None:
        log.info("menu: %s %s", action, argument)
        try:
            if self._agreed(action, argument):
                self._show_busy(action)
                self._table[action](argument)
        except (NoAnswer, Unclear):
            self._failed(action, text(self._language_now, "failed.no_answer"))
        except Refused as refused:
            self._failed(action, refusal(self._language_now, refused.code, refused.detail))
        except NoDialog:
            self._failed(action, text(self._language_now, "failed.no_dialog"))
        except OSError as error:
            self._failed(action, str(error))
        finally:
            with self._lock:
                del self._under_way[slot]
            self._show_busy("")

    def _agreed(self, action: str, argument: str) -> bool:
        if action not in ASK_FIRST:
            return True
        time = next(
            (local_time(b.created_utc) for b in self._screen.view.backups or () if b.name == argument), argument
        )
        agreed = self._desktop.ask(self._language_now, text(self._language_now, f"ask.{action}", time=time))
        log.info("menu: %s %s: %s", action, argument, "yes" if agreed else "no")
        return agreed

    def _show_busy(self, action: str) -> None:
        """Only the thread of an exclusive action shows it and takes it away."""
        name = threading.current_thread().name.removeprefix("menu-")
        if name in _EXCLUSIVE:
            self._screen.change(busy=action)

    def _failed(self, action: str, why: str) -> None:
        log.warning("menu: %s failed: %s", action, why)
        label = text(self._language_now, f"menu.{action}").rstrip("…")
        self._screen.say(text(self._language_now, "failed", action=label, reason=why))

    @property
    def _language_now(self) -> Language:
        return self._screen.view.language

    def _say(self, key: str, **values: object) -> None:
        self._screen.say(text(self._language_now, key, **values))

    def _freeze(self, _: str) -> None:
        self._client.freeze("from the tray icon")
        self._say("done.freeze")

    def _unfreeze(self, _: str) -> None:
        self._client.unfreeze()
        self._say("done.unfreeze")

    def _back_up(self, _: str) -> None:
        made = self._client.back_up()
        self._say("done.backup", name=made.get("name", ""))
        self._screen.backups_changed()

    def _restore(self, name: str) -> None:
        try:
            self._client.restore(name)
        except Unclear:  # after it began: the service restarts itself when it is done, and may be gone before we ask
            self._say("restore.unclear")
        else:
            self._say("done.restore")
        self._screen.backups_changed()

    def _diagnostics(self, _: str) -> None:
        folder = self._desktop.diagnostics_folder(self._settings)
        path = write_diagnostics(self._settings, self._supervisor.status, folder)
        copied = self._desktop.copy(str(path))
        self._say("done.diagnostics.copied" if copied else "done.diagnostics", path=path)

    def _autostart(self, _: str) -> None:
        autostart.switch(not autostart.is_on())
        self._screen.change(autostart=autostart.is_on())

    def _language(self, chosen: str) -> None:
        language = next(language for language in LANGUAGES if language == chosen)
        choose(self._settings.data_root, language)
        self._screen.change(language=language)

    def _about(self, _: str) -> None:
        health = self._supervisor.status.health
        device = health.get("device_name") or health.get("device") or "–"
        values = {"version": __version__, "device": device, "data_root": self._settings.data_root}
        self._desktop.tell(self._language_now, text(self._language_now, "about", **values))
