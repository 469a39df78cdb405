"""A supervised program as a value: how it is started, and the address of its health."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gui.settings import GuiSettings
from service.process.client import url_of
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
    return _supervised("service", program_command("BrakeDiscService", "service"), PRODUCT, settings, settings)


def gui_program(settings: Settings, gui_settings: GuiSettings) -> Program:
    """The screens before that service."""
    return _supervised("screens", program_command("BrakeDiscInspector", "gui"), GUI_PRODUCT, gui_settings, settings)


def program_command(executable: str, module: str) -> list[str]:
    """The executable next to our own in the installed product, the module of this Python otherwise."""
    if getattr(sys, "frozen", False):
        return [str(Path(sys.executable).with_name(executable + (".exe" if sys.platform == "win32" else "")))]
    return [sys.executable, "-m", module]


def tray_command() -> list[str]:
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "tray"]


def page_url(settings: Settings, gui_settings: GuiSettings | None) -> str:
    """Where a person looks: the screens, or, where there are none, the service's own page."""
    if gui_settings is not None:
        return f"{url_of(gui_settings.host, gui_settings.port)}/"
    return f"{url_of(settings.host, settings.port)}/docs"


def _supervised(
    name: str, command: list[str], product: str, served: Settings | GuiSettings, settings: Settings
) -> Program:
    environment = {"BACKEND_DATA_ROOT": str(settings.data_root.absolute())}
    command = [*command, "--supervised", str(os.getpid())]
    return Program(name, tuple(command), served.host, served.port, product, environment)
