"""Keeps icon, menu and notifications in step with the supervisor while the program runs."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace

from service.settings import Settings
from tray.client import NoAnswer, Refused, client_of
from tray.desktop import autostart
from tray.icon.actions import Actions, Desktop
from tray.icon.icon import NoIcon, TrayIcon
from tray.icon.menu import View, icon_colour, menu, tooltip
from tray.icon.ng_watch import NgWatch
from tray.icon.notify import Note, news
from tray.language import language_of
from tray.settings import TraySettings
from tray.supervise.status import State, Status, Supervision
from tray.texts import text

_ASK_S = 5.0  # between two looks at the latest inspections: 3 ms of work each
_BACKUPS_EVERY = 12  # looks: the daily backup shows up within a minute
_INSPECTIONS = 200  # of a look: 40 parts a second
_RETRY_S = 2.0  # what could not be shown is shown again
_JOIN_S = 5.0
log = logging.getLogger(__name__)


def run_icon(make: Callable[[], App], ended: threading.Event) -> None:
    """Blocks, in the main thread, until the menu's Quit or `ended`; Quit sets `ended` too.

    Where no icon can be shown, the program goes on without one.
    """
    try:
        app = make()
    except NoIcon as error:
        log.warning("running without an icon: %s", error)
        ended.wait()
        return
    app.run()


class App:
    """Two threads besides the icon's own: one shows, one asks the service. `_lock` guards the view.

    `url` is the page to open. Raises NoIcon.
    """

    def __init__(
        self,
        supervisor: Supervision,
        settings: Settings,
        tray_settings: TraySettings,
        ended: threading.Event,
        url: str,
        desktop: Desktop | None = None,
    ) -> None:
        self._settings, self._ended = settings, ended
        self._client = client_of(settings, ended.is_set)
        self._actions = Actions(supervisor, settings, self, url, desktop)
        self._supervisor = supervisor
        language = language_of(tray_settings.language, settings.data_root)
        self._icon = TrayIcon("brakedisc", text(language, "product"), self._actions.do)
        self._lock = threading.Lock()
        self.view = View(supervisor.status, language, autostart=autostart.is_on(), has_gui=tray_settings.screens)
        self._news: queue.SimpleQueue[Status | None] = queue.SimpleQueue()
        self._said: frozenset[str] = frozenset()
        self._ng = NgWatch(tray_settings.ng_count, tray_settings.ng_of)
        self._ask_backups = threading.Event()

    def change(self, **fields: object) -> None:
        with self._lock:
            self.view = replace(self.view, **fields)  # type: ignore[arg-type]  # the view's own fields
        self._news.put(None)

    def say(self, words: str) -> None:
        log.info("said: %s", words)
        self._icon.notify(words)

    def backups_changed(self) -> None:
        self._ask_backups.set()

    def quit(self) -> None:
        self._ended.set()

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._show_loop, name="tray-shows"),
            threading.Thread(target=self._ask_loop, name="tray-asks"),
        ]
        self._supervisor.watch(self._news.put)
        self._news.put(self._supervisor.status)
        for thread in threads:
            thread.start()
        try:
            self._icon.run()
            if not self._ended.is_set():  # the line does not stop because its icon is gone
                log.error("the icon is gone; running without one")
                self._ended.wait()
        finally:
            self._ended.set()
            self._news.put(None)
            self._actions.close()
            for thread in threads:
                thread.join(_JOIN_S)

    def _show_loop(self) -> None:
        try:
            while not self._ended.is_set():
                self._show_next()
        finally:
            if not self._ended.is_set():  # no icon at all rather than one that stays green whatever happens
                self._icon.hide()
                self._ended.wait()
            self._icon.stop()

    def _show_next(self) -> None:
        try:
            status = self._news.get(timeout=_RETRY_S)
        except queue.Empty:
            status = None
        if status is not None:
            self._take(status)
        view = self.view
        self._icon.update(menu(view), icon_colour(view.status), tooltip(view.status, view.language))

    def _take(self, status: Status) -> None:
        with self._lock:
            self.view = replace(self.view, status=status)
        notes, self._said = news(self._said, status, self.view.language, self._settings.min_free_mb)
        self._say_all(notes)

    def _say_all(self, notes: list[Note]) -> None:
        for note in notes:
            self.say(note.words(self.view.language))

    def _ask_loop(self) -> None:
        looks = 0
        while not self._ended.wait(_ASK_S):
            if self.view.status.state not in (State.READY, State.DEGRADED):
                continue
            try:
                self._look_at_inspections()
                if looks % _BACKUPS_EVERY == 0 or self._ask_backups.is_set():
                    self._look_at_backups()
                looks += 1
            except (NoAnswer, Refused) as error:
                log.debug("not asked: %s", error)

    def _look_at_inspections(self) -> None:
        if self._ng.ng:
            self._say_all(self._ng.feed(self._client.inspections(self._ng.since_utc, _INSPECTIONS)))

    def _look_at_backups(self) -> None:
        self._ask_backups.clear()
        backups = self._client.backups()
        if backups != self.view.backups:
            self.change(backups=backups)
