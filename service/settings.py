"""Every setting: its environment variable, its default, one line of help.

Read once, in `__main__`. The file `settings.env` in the data root gives the same names; the environment wins.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

SETTINGS_FILE = "settings.env"
DATA_ROOT_FILE = "data-root.txt"

AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def setting(name: str, default: Any, help_text: str, **limits: Any) -> Any:
    return Field(default, validation_alias=AliasChoices(name), description=help_text, **limits)


def default_data_root() -> Path:
    """`%ProgramData%\\BrakeDisc` for the installed Windows product, or the folder that its installer was told; the
    user's data folder otherwise."""
    if sys.platform == "win32" and getattr(sys, "frozen", False):
        told = _told_by_installer(Path(sys.executable))
        return told or Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "BrakeDisc"
    return Path(platformdirs.user_data_dir("BrakeDisc", appauthor=False))


def _told_by_installer(program: Path) -> Path | None:
    """`data-root.txt` beside the folder of the programs."""
    try:
        text = (program.parent.parent / DATA_ROOT_FILE).read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(text) if text else None


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8-sig")

    data_root: Path = setting("BACKEND_DATA_ROOT", default_data_root(), "Folder of datasets, models, records and logs")
    host: str = setting("BACKEND_HOST", "127.0.0.1", "Address to listen on; another than loopback needs an API key")
    port: int = setting("BACKEND_PORT", 8000, "TCP port to listen on", ge=1, le=65535)
    workers: int = setting("UVICORN_WORKERS", 1, "Service processes; each loads its own engine", ge=1, le=64)
    api_key: str = setting("BACKEND_API_KEY", "", "Accepted API keys, comma separated; `name:key` names the caller")
    allow_origins: str = setting("BACKEND_ALLOW_ORIGINS", "", "Browser origins allowed by CORS, comma separated")
    allowed_hosts: str = setting(
        "BACKEND_ALLOWED_HOSTS", "", "Host names this service answers to, besides its own and IP addresses"
    )
    device: str = setting("BACKEND_DEVICE", "auto", "`auto`, `cpu` or `cuda:0`")
    cores: int = setting("PATCHCORE_CORES", 0, "CPU cores the engine may use; 0 = all", ge=0, le=1024)
    backbone: str = setting(
        "BACKEND_BACKBONE", "auto", "Backbone of new models; `auto` = the best whose weights are here"
    )
    weights_dir: Path | None = setting("BACKEND_WEIGHTS_DIR", None, "Folder of weight files, looked at first")
    input_size: int = setting(
        "BACKEND_INPUT_SIZE",
        0,
        "Side in pixels to which an ROI is scaled; 0 = the ROI's own, within limits",
        ge=0,
        le=2048,
    )
    coreset_rate: float = setting(
        "BACKEND_CORESET_RATE", 0.0, "Share of the patches kept in a memory bank; 0 = the backbone's own", ge=0, le=1
    )
    require_calibration: bool = setting(
        "BACKEND_REQUIRE_CALIBRATION", True, "Whether /infer refuses a model that is not calibrated"
    )
    queue_size: int = setting("BACKEND_QUEUE_SIZE", 32, "Inspections that may wait for the device", ge=1, le=4096)
    batch_size: int = setting("BACKEND_BATCH_SIZE", 8, "Pictures that share one forward pass", ge=1, le=64)
    infer_timeout_s: float = setting(
        "BACKEND_INFER_TIMEOUT_S", 20.0, "Seconds after which an inspection is an error", gt=0, le=600
    )
    models_in_memory: int = setting("BACKEND_MODELS_IN_MEMORY", 32, "Memory banks kept on the device", ge=1, le=4096)
    max_body_mb: int = setting("BACKEND_MAX_BODY_MB", 1024, "Largest request body in MB", ge=1, le=65536)
    max_image_mpx: float = setting("BACKEND_MAX_IMAGE_MPX", 100.0, "Largest picture in megapixels", gt=0, le=170)
    archive_ok_every: int = setting(
        "BACKEND_ARCHIVE_OK_EVERY", 20, "Keep the picture of every n-th OK (NG: all); 0 = of none", ge=0, le=1_000_000
    )
    min_free_mb: int = setting(
        "BACKEND_MIN_FREE_MB", 1024, "Free disk under which pictures are no longer kept", ge=0, le=10_000_000
    )
    keep_ok_days: int = setting("BACKEND_KEEP_OK_DAYS", 90, "Days for which kept pictures of OK parts stay", ge=1)
    keep_ng_days: int = setting(
        "BACKEND_KEEP_NG_DAYS", 90, "Days for which pictures of NG parts stay; not fewer than those of OK parts", ge=1
    )
    keep_mb: int = setting("BACKEND_KEEP_MB", 0, "Largest size of all kept pictures in MB; 0 = no limit", ge=0)
    keep_free_percent: float = setting(
        "BACKEND_KEEP_FREE_PERCENT", 10.0, "Free disk in % under which the oldest kept pictures go", ge=0, le=90
    )
    backup_hour: int = setting(
        "BACKEND_BACKUP_HOUR", 2, "Hour of the daily backup, local time; -1 = no daily backup", ge=-1, le=23
    )
    backup_dir: Path | None = setting("BACKEND_BACKUP_DIR", None, "Second folder for backups, such as a network share")
    verify_hour: int = setting(
        "BACKEND_VERIFY_HOUR",
        -1,
        "Hour of the daily check of golden parts; without a pass the state is degraded; -1 = not needed",
        ge=-1,
        le=23,
    )
    log_level: str = setting("BACKEND_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")
    log_max_mb: int = setting("BACKEND_LOG_MAX_MB", 10, "Size at which a log file is rotated", ge=1, le=1000)
    log_files: int = setting("BACKEND_LOG_FILES", 10, "Log files kept of each kind", ge=1, le=1000)
    log_days: int = setting("BACKEND_LOG_DAYS", 90, "Days after which a rotated log file goes", ge=1, le=10_000)

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @model_validator(mode="after")
    def _open_network_needs_a_key(self) -> Settings:
        if not is_loopback(self.host) and not self.api_keys:
            raise ValueError(
                f"BACKEND_HOST={self.host} is reachable from the network: set BACKEND_API_KEY to a secret, "
                "or set BACKEND_HOST=127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _ng_outlive_ok(self) -> Settings:
        if self.keep_ng_days < self.keep_ok_days:
            raise ValueError(
                f"BACKEND_KEEP_NG_DAYS={self.keep_ng_days} is less than BACKEND_KEEP_OK_DAYS={self.keep_ok_days}: "
                "pictures of bad parts prove more; set it to as many days or more"
            )
        return self

    @property
    def api_keys(self) -> dict[str, str]:
        """Accepted keys, each with the name of its holder: `{"s3cret": "line-2"}`."""
        return parse_keys(self.api_key)


def read_settings(**overrides: Any) -> Settings:
    """Environment over `settings.env` in the data root over defaults. Raises SettingsError with one sentence a line."""
    return read_as(Settings, **overrides)


def read_as(kind: type[AnySettings], **overrides: Any) -> AnySettings:
    """The settings of another program, from the same places."""
    try:
        data_root = Path(overrides.get("BACKEND_DATA_ROOT") or _data_root_from_environment())
        return kind(_env_file=data_root / SETTINGS_FILE, **overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(item) for item in error.errors())) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{data_root / SETTINGS_FILE} is not UTF-8 text: save it as UTF-8.") from None


class SettingsError(Exception):
    """The settings contradict each other or cannot be read; the text says which and what to do."""


def parse_keys(text: str) -> dict[str, str]:
    """Name of the holder by key: `{"s3cret": "line-2"}`."""
    keys = {}
    for number, item in enumerate(split_list(text), start=1):
        name, _, key = item.rpartition(":")
        if key:  # `name:` alone would let everybody in
            keys[key] = name or f"key-{number}"
    return keys


def set_by_environment() -> dict[str, str]:
    """Values by name in upper case; as for the settings themselves, an empty one is none."""
    return {name.upper(): value for name, value in os.environ.items() if value}


def split_list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Of a comma separated list; an address is one by itself. Raises ValueError, in words."""
    found = []
    for item in split_list(text):
        try:
            found.append(ipaddress.ip_network(item, strict=False))
        except ValueError:
            raise ValueError(f"{item!r} is no address or network such as 192.168.1.20 or 192.168.1.0/24") from None
    return found


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _data_root_from_environment() -> Path:
    value = os.environ.get("BACKEND_DATA_ROOT", "")
    return Path(value) if value else default_data_root()


def _sentence(item: ErrorDetails) -> str:
    location, message = item["loc"], item["msg"].removeprefix("Value error, ")
    return f"{location[0]}: {message}" if location else message
