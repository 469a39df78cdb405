"""The supervisor's own log: one JSON line per event in `logs/tray.log`, which never fails and never grows."""

from __future__ import annotations

import logging
from pathlib import Path

from service.process.logs import JsonLines
from service.settings import Settings
from tray.supervise.rotation import Limits, RotatingFile


class FileHandler(logging.Handler):
    def __init__(self, file: RotatingFile) -> None:
        super().__init__()
        self.file = file

    def emit(self, record: logging.LogRecord) -> None:
        self.file.write(self.format(record).encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        self.file.close()
        super().close()


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.log_max_mb * 1_000_000, settings.log_files, settings.log_days)


def set_up_logs(folder: Path, limits: Limits, level: str = "INFO") -> None:
    """Replaces the root handlers."""
    handler = FileHandler(RotatingFile(folder / "tray.log", limits))
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("PIL").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
