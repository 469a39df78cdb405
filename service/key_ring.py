"""The API keys in force: the environment's, or else those of `settings.env`, where a change counts at once.

In every worker: each looks at the file itself.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from service.settings import Settings, is_loopback, parse_keys, set_by_environment
from service.store.state.settings_file import SettingsFile

API_KEY = "BACKEND_API_KEY"


class KeyRing:
    def __init__(self, settings: Settings, file: SettingsFile) -> None:
        self.from_environment = API_KEY in set_by_environment()
        self._file, self._lock = file, threading.Lock()
        self._needs_one = not is_loopback(settings.host)
        self._keys, self._stamp = settings.api_keys, file.stamp()

    def current(self) -> dict[str, str]:
        """Name of the holder by key. Costs one `stat`.

        A file that cannot be read changes nothing, nor does one without keys while the network reaches this service.
        """
        if self.from_environment:
            return self._keys
        stamp = self._file.stamp()
        with self._lock:
            if stamp != self._stamp:
                self._stamp = stamp
                with suppress(OSError, UnicodeDecodeError):
                    found = parse_keys(self._file.values().get(API_KEY, ""))
                    self._keys = found if found or not self._needs_one else self._keys
            return self._keys
