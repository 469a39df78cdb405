"""Access to the screens: from this PC and the stations in the settings, under a name or address of this PC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gui.settings import GuiSettings
from service.errors import HostRefused
from service.keys import check_host, own_hosts

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Door:
    """ASGI middleware for HTTP and web sockets."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], settings: GuiSettings) -> None:
        self._app, self._settings = app, settings
        self._hosts = own_hosts(settings.host, [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (why := self._refused(scope)):
            await _refuse(scope, receive, send, why)
            return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> str:
        address = (scope.get("client") or ("",))[0]
        if not self._settings.lets_in(address):
            return f"{address} may not open these screens: name it in GUI_STATIONS."
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            check_host(self._hosts, headers.get(b"host", ""))
        except HostRefused:
            return "These screens do not answer to that host name: use the PC's name or address."
        # a browser sends the page's origin with each web socket, and a page of another site cannot change it
        origin = headers.get(b"origin", "")
        if scope["type"] == "websocket" and origin and origin.split("://")[-1] != headers.get(b"host", ""):
            return "Another site's page may not speak with these screens."
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connect, which ASGI wants taken before it is refused
        await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        return
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
