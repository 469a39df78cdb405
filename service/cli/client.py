"""HTTP client of the commands: of the service that runs, or of one started for the length of a command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from service.process.client import JSON, NoAnswer, NotListening, Refused, ServiceClient, url_of
from service.progress import Report
from service.settings import Settings

START_TIMEOUT_S = 120.0


class Client(ServiceClient):
    """The contract's routes that the commands use. Every method raises Refused or NoAnswer."""

    def __init__(self, url: str, api_key: str = "") -> None:
        address = urlsplit(url)
        super().__init__(address.hostname or "", address.port or 80, lambda: api_key)

    def health(self) -> dict[str, Any]:
        """Also while the service loads: the answer's status says so. Raises ValueError for no answer of ours."""
        found = self.ask("GET", "/health", any_status=True).body
        if not isinstance(found, dict):
            raise ValueError("what answers is not the service")
        return found

    def fit(self, fields: dict[str, Any], images: Sequence[Path], report: Report) -> Mapping[str, Any]:
        """Start a fit, report its progress, return its result."""
        files = [("images", (path.name, path.read_bytes())) for path in images]
        return self.job("/fit_ok", *_multipart(fields, files), report)

    def upload(self, label: str, fields: dict[str, Any], images: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        return self._post(f"/datasets/{label}/upload", *_multipart(fields, [("images", image) for image in images]))

    def calibrate(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._post("/calibrate_ng", asked)

    def infer(self, fields: dict[str, Any], name: str, image: bytes) -> dict[str, Any]:
        return self._post("/infer", *_multipart(fields, [("image", (name, image))]))

    def verify(self) -> dict[str, Any]:
        return self._post("/admin/verify", {})

    def manifest(self, role_id: str, roi_id: str) -> dict[str, Any]:
        query = urlencode({"role_id": role_id, "roi_id": roi_id})
        found: dict[str, Any] = self.ask("GET", f"/manifest?{query}").body
        return found

    def restored(self) -> dict[str, Any] | None:
        """The restored state that waits to be verified."""
        found: dict[str, Any] | None = self.ask("GET", "/backups").body["restored"]
        return found

    def _post(self, path: str, data: Mapping[str, Any] | bytes, kind: str = JSON) -> dict[str, Any]:
        """Without a limit of time: many pictures, and golden parts, take as long as they take."""
        answer: dict[str, Any] = self.ask("POST", path, data, kind, timeout_s=None).body
        return answer


def _multipart(fields: Mapping[str, Any], files: Sequence[tuple[str, tuple[str, bytes]]]) -> tuple[bytes, str]:
    """Body and content type of a form."""
    form = httpx.Request("POST", "http://form", data=dict(fields), files=list(files))
    return form.read(), form.headers["Content-Type"]


def client_of(settings: Settings) -> Client:
    return Client(url_of(settings.host, settings.port), next(iter(settings.api_keys), ""))


@contextmanager
def running(settings: Settings) -> Iterator[Client | None]:
    """A client of the service that runs at the settings' address and has its data root open, or None."""
    client = client_of(settings)
    try:
        opened = client.health().get("code") != "data_root_closed"
    except NotListening:
        opened = False
    yield client if opened else None


@contextmanager
def connected(settings: Settings, say: Callable[[str], None]) -> Iterator[Client]:
    """A client of the service at the settings' address, which is started and stopped here when it does not run."""
    client = client_of(settings)
    if _is_live(client):
        yield client
        return
    say("The service does not run: starting it for this command.")
    with started(settings) as process:
        wait_until_ready(client, say, process)
        yield client


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
    """Raises Refused when it is not ready in time or has ended."""
    deadline, said, reason = time.monotonic() + START_TIMEOUT_S, "", "The service is starting."
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise Refused(
                503, "not_ready", f"The service ended with code {process.returncode}; run `brakedisc doctor`."
            )
        try:
            answer = client.health()
            if answer["status"] in ("ok", "degraded"):
                return
            reason = answer["reason"] or answer["status"]
        except (NoAnswer, ValueError):
            pass
        if reason != said:
            say(reason)
            said = reason
        time.sleep(0.2)
    raise Refused(503, "not_ready", f"The service was not ready within {START_TIMEOUT_S:.0f} s: {reason}")


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
    except (NoAnswer, ValueError):
        return False
    return True
