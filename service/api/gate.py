"""Before any route: the request's id, the host it names, the size of its body, one log line when it is done."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import caller
from service.api.problems import problem_response
from service.errors import HostRefused, TooLarge
from service.keys import check_host

log = logging.getLogger("service.access")
_QUIET = ("/health", "/health/live", "/metrics")  # asked every few seconds
# Asked every second by screens, too; a log that is looked at must not grow by being looked at.
_QUIET_WHEN_GOOD = ("/state", "/logs/")


class Gate:
    """ASGI middleware; plain, because a BaseHTTPMiddleware costs a task per request."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], max_body: int) -> None:
        self._app, self._hosts, self._max_body = app, hosts, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = caller.accept_request_id(headers.get("x-request-id") or headers.get("x-correlation-id"))
        caller.request_id.set(request_id)
        caller.station.set(caller.accept_station(headers.get("x-station"), (scope.get("client") or ("", 0))[0]))
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            check_host(self._hosts, headers.get("host", "localhost"))
            self._check_length(headers.get("content-length"))
            await self._app(scope, self._limited(receive), send_with_id)
        except (HostRefused, TooLarge) as problem:
            await problem_response(problem)(scope, receive, send_with_id)
        finally:
            # a crash passes by here, too, after the routes have answered it
            _log_line(scope, status or 500, started)

    def _check_length(self, length: str | None) -> None:
        if length is not None and length.isdecimal() and int(length) > self._max_body:
            raise TooLarge(self._too_large())

    def _limited(self, receive: Receive) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body:  # a body without a length; FastAPI lets only its own exception through
                raise HTTPException(TooLarge.status, self._too_large())
            return message

        return limited

    def _too_large(self) -> str:
        limit_mb = self._max_body // 1_000_000
        return f"The request body is larger than {limit_mb} MB (BACKEND_MAX_BODY_MB): send fewer pictures."


def _log_line(scope: Scope, status: int, started: float) -> None:
    path: str = scope["path"]
    quiet = path in _QUIET and status != 500  # 503 is what /health says while it loads
    if not quiet and not (status < 400 and path.startswith(_QUIET_WHEN_GOOD)):
        ms = round((time.perf_counter() - started) * 1e3, 1)
        log.info("request", extra={"method": scope["method"], "path": path, "status": status, "ms": ms})
