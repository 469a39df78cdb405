"""Speaks HTTP to the service: one that runs already, or one started for the length of a command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from service.progress import Report
from service.settings import Settings

START_TIMEOUT_S = 120.0
NO_LIMIT = httpx.Timeout(30.0, read=None)


class ServiceError(Exception):
    """What the service refused, in its own words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} (HTTP {status})")
        self.status, self.detail = status, detail


class Client:
    """The contract's routes as methods. Raises ServiceError for every answer that is not 2xx."""

    def __init__(self, url: str, api_key: str = "") -> None:
        headers = {"X-API-Key": api_key} if api_key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=120.0)
        self.url = url

    def health(self) -> dict[str, Any]:
        """Also while the service loads: the answer's status says so."""
        answer: dict[str, Any] = self._http.get("/health").json()
        return answer

    def fit(self, fields: dict[str, Any], images: Sequence[Path], report: Report) -> dict[str, Any]:
        """Start a fit, report its progress, return its result."""
        files = [("images", (path.name, path.read_bytes())) for path in images]
        started = self._http.post(
            "/fit_ok", data=fields, files=files, headers={"Prefer": "respond-async"}, timeout=NO_LIMIT
        )
        return self._follow(started, report)

    def upload(self, label: str, fields: dict[str, Any], images: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        files = [("images", image) for image in images]
        return self._json(self._http.post(f"/datasets/{label}/upload", data=fields, files=files, timeout=NO_LIMIT))

    def calibrate(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._json(self._http.post("/calibrate_ng", json=asked, timeout=NO_LIMIT))

    def infer(self, fields: dict[str, Any], name: str, image: bytes) -> dict[str, Any]:
        return self._json(self._http.post("/infer", data=fields, files={"image": (name, image)}))

    def backup(self, report: Report) -> dict[str, Any]:
        return self._follow(self._http.post("/backups", headers={"Prefer": "respond-async"}), report)

    def backups(self) -> dict[str, Any]:
        return self._json(self._http.get("/backups"))

    def restore(self, name: str, report: Report) -> None:
        """Returns when the backup is unpacked and checked; the service starts anew with it then."""
        self._follow(self._http.post(f"/backups/{name}/restore", headers={"Prefer": "respond-async"}), report)

    def verify(self) -> dict[str, Any]:
        return self._json(self._http.post("/admin/verify", timeout=NO_LIMIT))

    def freeze(self, why: str) -> dict[str, Any]:
        return self._json(self._http.post("/admin/freeze", json={"why": why}))

    def unfreeze(self) -> dict[str, Any]:
        return self._json(self._http.post("/admin/unfreeze"))

    def manifest(self, role_id: str, roi_id: str) -> dict[str, Any]:
        return self._json(self._http.get("/manifest", params={"role_id": role_id, "roi_id": roi_id}))

    def close(self) -> None:
        self._http.close()

    def _follow(self, started: httpx.Response, report: Report) -> dict[str, Any]:
        """The result of a job. Raises ServiceError with its problem."""
        job = _checked(started).headers["Location"]
        while True:
            state = self._job(job)
            report(state["progress"], state["stage"])
            if state["state"] == "done":
                result: dict[str, Any] = state["result"]
                return result
            if state["state"] != "running":
                problem = state["problem"] or {"status": 409, "detail": "The job was cancelled."}
                raise ServiceError(problem["status"], problem["detail"])
            time.sleep(0.1)

    def _job(self, path: str) -> dict[str, Any]:
        """Its state; patient with a service that starts anew. After 60 s raises what it got."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self._http.get(path)
                if answer.status_code != 503 or time.monotonic() > deadline:
                    return self._json(answer)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        answer: dict[str, Any] = _checked(response).json()
        return answer


def client_of(settings: Settings) -> Client:
    return Client(url_of(settings), next(iter(settings.api_keys), ""))


@contextmanager
def running(settings: Settings) -> Iterator[Client | None]:
    """A client of the service that runs at the settings' address and has its data root open, or None."""
    client = client_of(settings)
    try:
        health = client.health()
        yield None if health.get("code") == "data_root_closed" else client
    except (httpx.ConnectError, httpx.ConnectTimeout):
        yield None
    finally:
        client.close()


@contextmanager
def connected(settings: Settings, say: Callable[[str], None]) -> Iterator[Client]:
    """A client of the service at the settings' address, which is started and stopped here when it does not run."""
    client = client_of(settings)
    try:
        if _is_live(client):
            yield client
            return
        say("The service does not run: starting it for this command.")
        with started(settings) as process:
            wait_until_ready(client, say, process)
            yield client
    finally:
        client.close()


@contextmanager
def started(settings: Settings, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The real service in a process of its own; its log goes to the data root, its last words to our stderr."""
    process = subprocess.Popen(
        serve_command(),
        env={**os.environ, **environment_of(settings), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(
    client: Client, say: Callable[[str], None], process: subprocess.Popen[bytes] | None = None
) -> None:
    """Raises ServiceError when it is not ready in time or has ended."""
    deadline, said, reason = time.monotonic() + START_TIMEOUT_S, "", "The service is starting."
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise ServiceError(503, f"The service ended with code {process.returncode}; run `brakedisc doctor`.")
        try:
            answer = client.health()
            if answer["status"] in ("ok", "degraded"):
                return
            reason = answer["reason"] or answer["status"]
        except httpx.TransportError:
            pass
        if reason != said:
            say(reason)
            said = reason
        time.sleep(0.2)
    raise ServiceError(503, f"The service was not ready within {START_TIMEOUT_S:.0f} s: {reason}")


def url_of(settings: Settings) -> str:
    """Where a client on this machine finds the service; an address that stands for all is not one to call."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def serve_command() -> list[str]:
    return [sys.executable, "serve"] if getattr(sys, "frozen", False) else [sys.executable, "-m", "service"]


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings that differ from their defaults, as environment variables."""
    found = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name in settings.model_fields_set and value is not None:
            found[str(field.validation_alias.choices[0])] = str(value)  # type: ignore[union-attr]
    return found


def _is_live(client: Client) -> bool:
    try:
        client.health()
    except (httpx.TransportError, ValueError):
        return False
    return True


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError):
        detail = response.text[:300]
    raise ServiceError(response.status_code, detail)
