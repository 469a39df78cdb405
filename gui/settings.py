"""The inspector's own settings: environment variable, default, one line of help; read as the service reads its own."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from pydantic import field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.settings import Settings, is_loopback, networks, read_as, setting


class GuiSettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8-sig")

    host: str = setting(
        "GUI_HOST", "127.0.0.1", "Address the screens are served on; another than loopback needs GUI_STATIONS"
    )
    port: int = setting("GUI_PORT", 8090, "TCP port the screens are served on", ge=1, le=65535)
    stations: str = setting(
        "GUI_STATIONS", "", "Addresses or networks that may open the screens besides this PC, comma separated"
    )
    folder: Path | None = setting(
        "GUI_DIR", None, "Folder of what this PC's screens remember; by default `gui` in the data root"
    )

    @field_validator("stations")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks(value)
        return value

    @model_validator(mode="after")
    def _open_network_needs_stations(self) -> GuiSettings:
        if not is_loopback(self.host) and not self.stations:
            raise ValueError(
                f"GUI_HOST={self.host} is reachable from the network: name in GUI_STATIONS who may open the screens, "
                "or set GUI_HOST=127.0.0.1"
            )
        return self

    def lets_in(self, address: str) -> bool:
        """Whether a browser at that IP address may open the screens."""
        if is_loopback(address):
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(caller in network for network in networks(self.stations))


def read_gui_settings(settings: Settings, **overrides: Any) -> GuiSettings:
    """Environment over `settings.env` in the service's data root over defaults. Raises SettingsError."""
    return read_as(GuiSettings, BACKEND_DATA_ROOT=settings.data_root, **overrides)
