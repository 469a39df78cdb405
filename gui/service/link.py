"""State of the connection to the service, asked once a second for all pages."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from enum import StrEnum

from nicegui import Event

from gui.service.client import Client, ServiceError, ServiceGone, Target, settled
from service.contract.health import Health
from service.contract.models import StateAnswer

log = logging.getLogger(__name__)
LOOK_S = 1.0
_STALE_S = 3.0  # a service that takes longer for /health counts as away


class Link(StrEnum):
    CONNECTING = "connecting"
    READY = "ready"
    DEGRADED = "degraded"
    LOADING = "loading"
    ERROR = "error"
    GONE = "gone"
    REFUSED = "refused"  # wrong key
    FOREIGN = "foreign"  # something else answers at the address


@dataclass(frozen=True)
class LinkState:
    """`health` is the last answer, None while there is none; `retrying`: a call is being repeated."""

    link: Link = Link.CONNECTING
    health: Health | None = None
    code: str = ""
    detail: str = ""
    retrying: bool = False

    @property
    def usable(self) -> bool:
        return self.link in (Link.READY, Link.DEGRADED)


class LinkWatch:
    """`changed` is emitted with each new state, `announced` with news for the person: key of a text, its values."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.state = LinkState()
        self.changed: Event[LinkState] = Event()
        self.announced: Event[str, dict[str, str]] = Event()
        self._task: asyncio.Task[None] | None = None
        self._version = ""
        client.on_retry(self._note_retrying)

    def open(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="link")

    async def close(self) -> None:
        await settled(self._task)

    async def look(self) -> LinkState:
        """Ask now."""
        state = await handshake(self._client)
        self._announce(state)
        self._set(replace(state, retrying=self.state.retrying and not state.usable))
        return self.state

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    def _announce(self, state: LinkState) -> None:
        if state.health is None:
            return
        if self._version and state.health.version != self._version:
            self.announced.emit("shell.new_version", {"before": self._version, "now": state.health.version})
        self._version = state.health.version

    def _note_retrying(self, retrying: bool) -> None:
        if retrying != self.state.retrying:
            self._set(replace(self.state, retrying=retrying))

    def _set(self, state: LinkState) -> None:
        if state.link != self.state.link:
            log.info("service", extra={"state": str(state.link), "code": state.code, "detail": state.detail})
        changed = state != self.state
        self.state = state
        if changed:
            self.changed.emit(state)


async def handshake(client: Client) -> LinkState:
    """Ask the service for its health, and whether it accepts the key."""
    try:
        health = await client.once("/health", Health, also=(503,), timeout_s=_STALE_S)
    except ServiceGone as error:
        return LinkState(Link.GONE, None, error.code, error.detail)
    except ServiceError as error:
        return LinkState(Link.FOREIGN, None, "foreign", error.detail)
    if health.status in ("loading", "error"):
        return LinkState(Link(health.status), health, health.code or "", health.reason or "")
    try:
        # /health needs no key: a route that needs one is asked too
        await client.once("/state?role_id=-&roi_id=-", StateAnswer, timeout_s=_STALE_S)
    except ServiceError as error:
        if error.status == 401:
            return LinkState(Link.REFUSED, health, error.code, error.detail)
        if isinstance(error, ServiceGone):
            return LinkState(Link.GONE, None, error.code, error.detail)
    link = Link.READY if health.status == "ok" else Link.DEGRADED
    return LinkState(link, health, health.code or "", health.reason or "")


async def try_target(target: Target) -> LinkState:
    """The state of a service at another address, before it is used."""
    client = Client(target)
    try:
        return await handshake(client)
    finally:
        await client.close()
