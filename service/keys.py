"""Who may enter: API keys in force, and the host names this service answers to."""

from __future__ import annotations

import hmac
import ipaddress
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress

from service.errors import HostRefused, KeyRequired
from service.settings import Settings, is_loopback, parse_keys, set_by_environment
from service.store.state.settings_file import SettingsFile

API_KEY = "BACKEND_API_KEY"


def check_key(keys: Mapping[str, str], given: str | None) -> str:
    """Name of the caller whose key was given; "" when none is configured. Raises KeyRequired (401).

    Every key is compared in constant time, so that timing tells nothing.
    """
    if not keys:
        return ""
    found = [name for key, name in keys.items() if hmac.compare_digest(key.encode(), (given or "").encode())]
    if not found:
        raise KeyRequired("Send the header X-API-Key with a key from BACKEND_API_KEY.")
    return found[0]


def own_hosts(host: str, configured: list[str]) -> frozenset[str]:
    """Names under which this machine may be called; IP addresses always may."""
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, host.lower(), *(item.lower() for item in configured)})


def check_host(hosts: frozenset[str], header: str) -> None:
    """Raises HostRefused (421) for a name that is not ours: a page that rebinds its DNS name to us sends its own."""
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower().rstrip(".")
    if name in hosts:
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise HostRefused(
            f"This service does not answer to the name {name[:100]!r}; add it to BACKEND_ALLOWED_HOSTS if it should."
        ) from None


class KeyRing:
    """API keys in force: from the environment, or else from `settings.env`, where a change counts at once.

    Every worker process has its own and looks at the file itself.
    """

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
