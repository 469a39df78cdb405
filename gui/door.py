"""Access to the screens: from this PC and the stations in the settings, under a name or address of this PC."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from gui.settings import GuiSettings
from service.errors import HostRefused
from service.keys import check_host, own_hosts


class Door:
    """ASGI middleware for HTTP and web sockets."""

    def __init__(self, app: ASGIApp, settings: GuiSettings) -> None:
        self._app, self._settings = app, settings
        self._hosts = own_hosts(settings.host, [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = self._refused(HTTPConnection(scope)) if scope["type"] in ("http", "websocket") else ""
        if not why:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # the connect, which ASGI wants taken before it is refused
            await WebSocketClose(1008, why[:120])(scope, receive, send)
        else:
            await PlainTextResponse(why, 403)(scope, receive, send)

    def _refused(self, asked: HTTPConnection) -> str:
        address = asked.client.host if asked.client else ""
        if not self._settings.lets_in(address):
            return f"{address} may not open these screens: name it in GUI_STATIONS."
        host, origin = asked.headers.get("host", ""), asked.headers.get("origin", "")
        try:
            check_host(self._hosts, host)
        except HostRefused:
            return "These screens do not answer to that host name: use the PC's name or address."
        # a browser sends the page's origin with each web socket, and a page of another site cannot change it
        if asked.scope["type"] == "websocket" and origin and origin.split("://")[-1] != host:
            return "Another site's page may not speak with these screens."
        return ""
