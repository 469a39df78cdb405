"""A lost GPU is remembered, over restarts of everything, until a person has seen it."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.errors import DiskFull
from service.store.files import write_file
from tray.supervise.clock import Clock

DEVICE_LOST = "device_lost"

log = logging.getLogger(__name__)


class NoGpu:
    """For a program that has none."""

    lost_utc: str | None = None

    def look(self, health: Mapping[str, Any]) -> None:
        pass

    def clear(self) -> None:
        pass


class GpuLatch:
    """Also a GPU that is no longer there after a start is lost: the service works on with the CPU, ten times slower."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._device = ""
        self.lost_utc: str | None = None
        self._read()

    def look(self, health: Mapping[str, Any]) -> None:
        """Remember the device, and whether it was lost, of a service that answers."""
        device = str(health.get("device") or "")
        if health.get("code") == DEVICE_LOST:
            self._keep(self._device, self.lost_utc or self._now())
        elif health.get("status") in ("ok", "degraded"):
            lost = self._device.startswith("cuda") and device == "cpu"
            self._keep(device if not lost else self._device, self.lost_utc or (self._now() if lost else None))

    def clear(self) -> None:
        """A person knows: the device found next is the right one."""
        self._keep("", None)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.time(), UTC).isoformat(timespec="seconds")

    def _keep(self, device: str, lost_utc: str | None) -> None:
        if (device, lost_utc) == (self._device, self.lost_utc):
            return
        self._device, self.lost_utc = device, lost_utc
        if not self._path.parent.is_dir():  # a disk that is not there shall not get a folder in its place
            return
        try:
            write_file(self._path, json.dumps({"device": device, "gpu_lost_utc": lost_utc}).encode())
        except (OSError, DiskFull) as error:
            log.warning("not written", extra={"file": str(self._path), "reason": str(error)})

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # none yet, or damaged: nothing is known
            kept = json.loads(self._path.read_bytes())
            self._device, self.lost_utc = str(kept.get("device", "")), kept.get("gpu_lost_utc")
