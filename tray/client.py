"""The tray's client of the service: address of the settings, first API key in force."""

from __future__ import annotations

from collections.abc import Callable

from service.keys import KeyRing
from service.process.client import PATIENCE_S, NoAnswer, Refused, ServiceClient, Unclear
from service.settings import SETTINGS_FILE, Settings
from service.store.state.settings_file import SettingsFile

__all__ = ["NoAnswer", "Refused", "ServiceClient", "Unclear", "client_of"]


def client_of(
    settings: Settings, give_up: Callable[[], bool] = lambda: False, patience_s: float = PATIENCE_S
) -> ServiceClient:
    keys = KeyRing(settings, SettingsFile(settings.data_root / SETTINGS_FILE))  # a key may be made while the tray runs
    return ServiceClient(
        settings.host, settings.port, lambda: next(iter(keys.current()), ""), give_up=give_up, patience_s=patience_s
    )
