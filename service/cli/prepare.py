"""`prepare`: writes what the installer was told to where the programs read it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from service.errors import InvalidField
from service.settings import SETTINGS_FILE, default_data_root, networks, read_settings, split_list
from service.store.state.settings_file import SettingsFile


def prepare(console: Console, *, port: int | None, screens_port: int | None, stations: str | None) -> int:
    """Makes the data root and changes the settings that are given; all others stay. Raises SettingsError, Problem.

    `stations`: addresses or networks that may open the screens; "" lets in nobody but this PC.
    """
    root = default_data_root()
    root.mkdir(parents=True, exist_ok=True)
    values: dict[str, str | None] = {}
    if port is not None:
        values["BACKEND_PORT"] = str(port)
    if screens_port is not None:
        values["GUI_PORT"] = str(screens_port)
    if stations is not None:
        values["GUI_STATIONS"] = _checked(stations) or None
        values["GUI_HOST"] = "0.0.0.0" if stations else None  # only who is named in GUI_STATIONS gets in
    file = SettingsFile(root / SETTINGS_FILE)
    if values:
        file.change(values)
    settings = read_settings(BACKEND_DATA_ROOT=root)
    console.print(f"Data root {Path(root)}, service on port {settings.port}.", soft_wrap=True)
    return 0


def _checked(stations: str) -> str:
    """Raises InvalidField."""
    try:
        networks(stations)
    except ValueError as error:
        raise InvalidField(f"{error}.") from None
    return ",".join(split_list(stations))
