"""HTTP client for other programs of this PC: single calls, and jobs followed to their end.

The standard library's client: httpx would cost 7 MB of an icon that shall stay small. It also knows no proxy: one of
the plant's network must not come between two programs of one PC.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from service.contract.operations import BackupSummary
from service.progress import Report

TIMEOUT_S = 30.0  # a full disk queue may hold an answer this long
POLL_S = 0.2
PATIENCE_S = 60.0  # a service that restarts with a restored state still knows the job
JSON = "application/json"


class Refused(Exception):
    """The service said no. `code` is stable, `detail` its English sentence."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status})")
        self.status, self.code, self.detail = status, code, detail


class NoAnswer(Exception):
    """Nobody answers on the port."""


class NotListening(NoAnswer):
    """The connection was refused: no service runs there. A hung service would have taken it."""


class Unclear(Exception):
    """The service went away for good while a job ran: nobody can say how the job ended."""


@dataclass(frozen=True)
class Reply:
    """`body`: parsed JSON, None when it is none. `location`: of the job that was started."""

    status: int
    location: str
    body: Any


class ServiceClient:
    """Thread safe: each call is a connection of its own. Every method raises Refused or NoAnswer."""

    def __init__(
        self, host: str, port: int, key: Callable[[], str], *, give_up: Callable[[], bool] = lambda: False,
        patience_s: float = PATIENCE_S,
    ) -> None:  # fmt: skip
        """`key` is asked for each call. A job whose service answers nobody for `patience_s` is given up."""
        self._host, self._port, self._key = called_host(host), port, key
        self._give_up, self._patience_s = give_up, patience_s
        self.url = url_of(host, port)

    def freeze(self, why: str) -> None:
        self.ask("POST", "/admin/freeze", {"why": why})

    def unfreeze(self) -> None:
        self.ask("POST", "/admin/unfreeze", {})

    def backups(self) -> tuple[BackupSummary, ...]:
        """Newest first."""
        return tuple(BackupSummary(**item) for item in self.ask("GET", "/backups").body["backups"])

    def inspections(self, since_utc: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first; from that moment on, itself included."""
        query = urlencode({"limit": limit} | ({"since": since_utc} if since_utc else {}))
        found: list[dict[str, Any]] = self.ask("GET", f"/inspections?{query}").body["inspections"]
        return found

    def back_up(self, report: Report | None = None) -> Mapping[str, Any]:
        """Returns when it is made and verified. Raises Unclear too."""
        return self.job("/backups", report=report)

    def restore(self, name: str, report: Report | None = None) -> Mapping[str, Any]:
        """Returns when the backup is unpacked and checked; the service restarts with it. Raises Unclear too."""
        return self.job(f"/backups/{quote(name, safe='')}/restore", report=report)

    def job(
        self, path: str, data: bytes | None = None, kind: str = JSON, report: Report | None = None
    ) -> Mapping[str, Any]:
        """Start long work and follow it. Raises Unclear too, and what `report` raises."""
        started = self.ask("POST", path, data if data is not None else {}, kind, {"Prefer": "respond-async"})
        deadline = time.monotonic() + self._patience_s
        while not self._give_up() and time.monotonic() < deadline:
            state = self._state_of(started.location)
            if state is not None:
                deadline = time.monotonic() + self._patience_s
                if report:
                    report(state["progress"], state["stage"])
                if state["state"] == "done":
                    return state["result"] or {}
                if state["state"] != "running":
                    problem = {"status": 409, "code": state["state"], "detail": "The job was cancelled."}
                    problem |= state["problem"] or {}
                    raise Refused(problem["status"], problem["code"], problem["detail"])
            time.sleep(POLL_S)
        raise Unclear("The service went away while it worked: nobody can say how that ended. Look at its logs.")

    def ask(
        self, method: str, path: str, data: Mapping[str, Any] | bytes | None = None, kind: str = JSON,
        headers: Mapping[str, str] | None = None, *, timeout_s: float | None = TIMEOUT_S, any_status: bool = False,
    ) -> Reply:  # fmt: skip
        """One call; a mapping goes as JSON. `any_status`: an answer that is no success is an answer all the same."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        sent = {"Connection": "close", "Content-Type": kind, **(headers or {})}
        if key := self._key():
            sent["X-API-Key"] = key
        try:
            connection.connect()
        except OSError as error:
            raise NotListening(str(error)) from None
        try:
            body = json.dumps(data) if isinstance(data, Mapping) else data
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return _reply(answer, answer.read(), any_status)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(error)) from None
        finally:
            connection.close()

    def _state_of(self, job: str) -> Mapping[str, Any] | None:
        """None while the service restarts."""
        try:
            state: Mapping[str, Any] = self.ask("GET", job).body
        except NoAnswer:
            return None
        except Refused as refused:
            if refused.code == "not_found":  # its records are gone
                raise Unclear("The service no longer knows the job: nobody can say how it ended.") from None
            if refused.code == "not_ready":
                return None
            raise
        return state


def called_host(host: str) -> str:
    """The address to call: one that stands for all addresses is not one of them."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def url_of(host: str, port: int) -> str:
    """Where a program of this PC finds what listens there."""
    called = called_host(host)
    return f"http://[{called}]:{port}" if ":" in called else f"http://{called}:{port}"


def _reply(answer: http.client.HTTPResponse, body: bytes, any_status: bool) -> Reply:
    try:
        said = json.loads(body) if body else None
    except ValueError:
        said = None
    if any_status or 200 <= answer.status < 300:
        return Reply(answer.status, answer.headers.get("Location", ""), said)
    if isinstance(said, dict) and "code" in said and "detail" in said:
        raise Refused(answer.status, str(said["code"]), str(said["detail"]))
    raise Refused(
        answer.status, f"http_{answer.status}", f"The service answered: {answer.reason}"
    )  # not ours, or older
