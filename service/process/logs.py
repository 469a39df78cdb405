"""One JSON line per event, to stderr and, rotated by size and age, to a file of `logs/`."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from service import caller

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """Time, level, message, request id, then whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        if caller.request_id.get():
            event["request_id"] = caller.request_id.get()
        event |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False, default=str)


def set_up_logs(
    folder: Path, *, level: str, max_mb: int, files: int, days: int = 90, to_file: bool, to_stderr: bool = True,
    name: str = "service.log",
) -> None:  # fmt: skip
    """Replaces the root handlers. Several worker processes cannot rotate one file: they log to stderr alone.

    Under a supervisor, which keeps stderr for what no handler writes, `to_stderr` is false.
    """
    handlers: list[logging.Handler] = []
    if (to_stderr or not to_file) and sys.stderr is not None:  # a windowed Windows program has none
        handlers.append(logging.StreamHandler(sys.stderr))
    if to_file:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            _QuietRotation(
                folder / name,
                days=days,
                maxBytes=max_mb * 1_000_000,
                backupCount=max(1, files - 1),
                encoding="utf-8",
                delay=True,
            )
        )
    for handler in handlers:
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=handlers, force=True)
    for name in ("httpx", "httpcore", "PIL", "onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _QuietRotation(RotatingFileHandler):
    """A full disk or a file held open by a virus scanner costs log lines, never an inspection."""

    def __init__(self, path: Path, *, days: int, **options: Any) -> None:
        super().__init__(path, **options)
        self._days = days
        self._remove_old()

    def doRollover(self) -> None:  # noqa: N802
        super().doRollover()
        self._remove_old()

    def _remove_old(self) -> None:
        path = Path(self.baseFilename)
        for rotated in path.parent.glob(f"{path.name}.*"):
            with suppress(OSError):
                if rotated.suffix[1:].isdecimal() and rotated.stat().st_mtime < time.time() - self._days * 86400:
                    rotated.unlink()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        pass
