"""The supervisor's own settings: environment variable, default, one line of help; from the service's places."""

from __future__ import annotations

from typing import Any, Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

from service.settings import Settings, read_as, setting


class TraySettings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8-sig")

    language: Literal["auto", "es", "en"] = setting(
        "TRAY_LANGUAGE", "auto", "Language of the icon: `es`, `en`, or `auto` = that of Windows"
    )
    ng_count: int = setting(
        "TRAY_NG_COUNT",
        3,
        "NG verdicts of one ROI, among its last TRAY_NG_OF, that are notified; 0 = never",
        ge=0,
        le=1000,
    )
    ng_of: int = setting("TRAY_NG_OF", 10, "Inspections of one ROI looked back at for TRAY_NG_COUNT", ge=1, le=1000)
    screens: bool = setting("TRAY_SCREENS", True, "Whether the inspector's screens run beside the service")
    max_crashes: int = setting(
        "TRAY_MAX_CRASHES",
        5,
        "Crashes within TRAY_CRASH_WINDOW_S after which restarting stops; 0 = never",
        ge=0,
        le=1000,
    )
    crash_window_s: float = setting("TRAY_CRASH_WINDOW_S", 300.0, "Seconds within which crashes count", gt=0, le=86_400)


def read_tray_settings(settings: Settings, **overrides: Any) -> TraySettings:
    """Environment over `settings.env` in the service's data root over defaults. Raises SettingsError."""
    return read_as(TraySettings, BACKEND_DATA_ROOT=settings.data_root, **overrides)
