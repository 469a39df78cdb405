"""A supervised program as a value: how it is started, and the address of its health."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gui.settings import GuiSettings
from service.process.client import called_host
from service.settings import Settings

PRODUCT = "brakedisc-inspector"
GUI_PRODUCT = "brakedisc-gui"


@dataclass(frozen=True)
class Program:
    """`command` serves HTTP on `host`:`port` until its standard input ends; `GET /health` answers with `product`."""

    name: str
    command: tuple[str, ...]
    host: str
    port: int
    product: str = PRODUCT
    environment: Mapping[str, str] = field(default_factory=dict)


def service_program(settings: Settings) -> Program:
    """The inspection service with these settings; what else it is set to, it reads itself."""
    return Program(
        name="service",
        command=(*_command("BrakeDiscService", "service"), "--supervised", str(os.getpid())),
        host=settings.host,
        port=settings.port,
        environment={"BACKEND_DATA_ROOT": str(settings.data_root.absolute())},
    )


def gui_program(settings: Settings, gui_settings: GuiSettings) -> Program:
    """The screens before that service."""
    return Program(
        name="screens",
        command=(*_command("BrakeDiscInspector", "gui"), "--supervised", str(os.getpid())),
        host=gui_settings.host,
        port=gui_settings.port,
        product=GUI_PRODUCT,
        environment={"BACKEND_DATA_ROOT": str(settings.data_root.absolute())},
    )


def tray_command() -> list[str]:
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "tray"]


def page_url(settings: Settings, gui_settings: GuiSettings | None) -> str:
    """Where a person looks: the screens, or, where there are none, the service's own page."""
    if gui_settings is not None:
        return _url(gui_settings.host, gui_settings.port, "/")
    return _url(settings.host, settings.port, "/docs")


def _url(host: str, port: int, path: str) -> str:
    called = called_host(host)
    return f"http://[{called}]:{port}{path}" if ":" in called else f"http://{called}:{port}{path}"


def _command(executable: str, module: str) -> list[str]:
    """The executable next to our own in the installed product, the module of this Python otherwise."""
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_name(executable + (".exe" if sys.platform == "win32" else "")))]
    return [sys.executable, "-m", module]
