"""What does the tray ask of the service over HTTP? The few routes behind its menu and its notifications."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from service.keys import KeyRing
from service.settings import SETTINGS_FILE, Settings
from service.store.state.settings_file import SettingsFile
from tray.supervise.program import called_host

_TIMEOUT_S = 30.0  # a full disk queue may hold an answer this long
_POLL_S = 0.2
_PATIENCE_S = 60.0  # a service that starts anew with a restored state still knows the job


class Refused(Exception):
    """The service said no. `code` is stable, `detail` its English sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class NoAnswer(Exception):
    """Nobody answers on the port."""


class Unclear(Exception):
    """The service went away for good while the job ran, so nobody can say how the job ended."""


@dataclass(frozen=True)
class _Answer:
    location: str
    body: Any


class ServiceClient:
    """Thread safe: each call is a connection of its own. Every method raises Refused or NoAnswer.

    The standard library's client: httpx would cost 7 MB of a process that shall stay small. It also knows no proxy:
    one of the plant's network must not come between two programs of one PC.
    """

    def __init__(
        self, settings: Settings, give_up: Callable[[], bool] = lambda: False, patience_s: float = _PATIENCE_S
    ) -> None:
        """A job whose service answers nobody for `patience_s` is given up."""
        self._host, self._port = called_host(settings.host), settings.port
        file = SettingsFile(settings.data_root / SETTINGS_FILE)
        self._keys = KeyRing(settings, file)  # a key may be made while the tray runs
        self._give_up, self._patience_s = give_up, patience_s

    def freeze(self, why: str) -> None:
        self._ask("POST", "/admin/freeze", {"why": why})

    def unfreeze(self) -> None:
        self._ask("POST", "/admin/unfreeze", {})

    def backups(self) -> tuple[Backup, ...]:
        """Newest first."""
        found = self._ask("GET", "/backups").body["backups"]
        return tuple(Backup(item["name"], item["created_utc"], item["version"]) for item in found)

    def inspections(self, since_utc: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first; from that moment on, itself included."""
        query = urlencode({"limit": limit} | ({"since": since_utc} if since_utc else {}))
        found: list[dict[str, Any]] = self._ask("GET", f"/inspections?{query}").body["inspections"]
        return found

    def back_up(self) -> Mapping[str, Any]:
        """Returns when it is made and verified. Raises Unclear too."""
        return self._job("/backups")

    def restore(self, name: str) -> Mapping[str, Any]:
        """Returns when the restored state is in place; the service restarts itself. Raises Unclear too."""
        return self._job(f"/backups/{quote(name, safe='')}/restore")

    def _job(self, path: str) -> Mapping[str, Any]:
        job = self._ask("POST", path, {}, {"Prefer": "respond-async"}).location
        deadline = time.monotonic() + self._patience_s
        while not self._give_up() and time.monotonic() < deadline:
            state = self._state_of(job)
            if state is None:
                time.sleep(_POLL_S)
                continue
            deadline = time.monotonic() + self._patience_s
            if state["state"] == "done":
                return state["result"] or {}
            if state["state"] != "running":
                problem = state["problem"] or {"code": state["state"], "detail": state["state"]}
                raise Refused(problem["code"], problem["detail"])
            time.sleep(_POLL_S)
        raise Unclear

    def _state_of(self, job: str) -> Mapping[str, Any] | None:
        """None while the service starts anew."""
        try:
            state: Mapping[str, Any] = self._ask("GET", job).body
        except NoAnswer:
            return None
        except Refused as refused:
            if refused.code == "not_found":  # its records are gone
                raise Unclear from None
            if refused.code == "not_ready":
                return None
            raise
        return state

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> _Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        sent = {"Connection": "close", "Content-Type": "application/json", **(headers or {})}
        if keys := self._keys.current():
            sent["X-API-Key"] = next(iter(keys))
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            return _checked(answer, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(error)) from None
        finally:
            connection.close()


def _checked(answer: http.client.HTTPResponse, body: bytes) -> _Answer:
    try:
        said = json.loads(body) if body else None
    except ValueError:
        said = None
    if 200 <= answer.status < 300:
        return _Answer(answer.headers.get("Location", ""), said)
    if isinstance(said, dict) and "code" in said and "detail" in said:
        raise Refused(str(said["code"]), str(said["detail"]))
    raise Refused(f"http_{answer.status}", f"HTTP {answer.status} {answer.reason}")  # not ours, or older than the route


@dataclass(frozen=True)
class Backup:
    """`created_utc` in ISO 8601."""

    name: str
    created_utc: str
    version: str
