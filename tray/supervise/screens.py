"""Service and screens started, watched and shown as one; the screens run whatever the service does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tray.supervise.status import State, Status
from tray.supervise.supervisor import Supervisor

# Those of the screens that nobody has to act on, or that pass within seconds.
_FINE = (State.READY, State.STARTING, State.STOPPING, State.STOPPED)


class WithScreens:
    """Supervision of both. Stop and restart mean the service: the screens stay, and say that it is away."""

    def __init__(self, service: Supervisor, screens: Supervisor) -> None:
        self._service, self._screens = service, screens

    @property
    def status(self) -> Status:
        return with_screens(self._service.status, self._screens.status)

    @property
    def screens(self) -> Status:
        return self._screens.status

    def open(self) -> None:
        self._service.open()
        self._screens.open()

    def start(self) -> None:
        self._service.start()
        if self._screens.status.state is State.DOWN:
            self._screens.start()

    def stop(self) -> None:
        self._service.stop()

    def restart(self) -> None:
        self._service.restart()
        if self._screens.status.state is State.DOWN:
            self._screens.start()

    def resumed(self) -> None:
        self._service.resumed()
        self._screens.resumed()

    def close(self) -> None:
        self._screens.close()
        self._service.close()

    def watch(self, changed: Callable[[Status], None]) -> None:
        self._service.watch(lambda status: changed(with_screens(status, self._screens.status)))
        self._screens.watch(lambda status: changed(with_screens(self._service.status, status)))


def with_screens(service: Status, screens: Status) -> Status:
    """The service's status; while that is ready and the screens are down, a degraded one that says so."""
    if service.state is not State.READY or screens.state in _FINE:
        return service
    return replace(service, state=State.DEGRADED, code="screens_down", reason=screens.reason)
