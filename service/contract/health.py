"""Health of the service, and the freeze of training."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel

from service.contract.words import Answer, Value


class Latency(BaseModel):
    p50: float | None
    p95: float | None


class Frozen(Value):
    """A freeze of training: by whom, from which station, when and why."""

    by: str
    station: str
    since_utc: str
    why: str


class BackupState(Value):
    """Outcome of the last attempt; `last_success_utc`: of the newest backup that is still here."""

    last_success_utc: str | None
    error: str | None
    copy_error: str | None


class Health(Answer):
    """`codes` are the slugs of the reasons, `code` the first: `loading`, `device_lost`, `disk_low`, ...

    `warnings` are worth a look and change nothing of the status.
    """

    status: Literal["ok", "degraded", "loading", "error"]
    reason: str | None = None
    code: str | None = None
    codes: list[str]
    warnings: list[str]
    product: Literal["brakedisc-inspector"] = "brakedisc-inspector"
    pid: int
    device: str
    device_name: str
    model: str
    version: str
    gpu_mem_mb: float
    models_loaded: int
    uptime_s: float
    training_frozen: bool
    frozen: Frozen | None
    backup: BackupState
    disk_free_mb: int
    latency_infer_ms: Latency


def not_serving(
    status: Literal["loading", "error"], code: str, reason: str, *, version: str, device: str, backbone: str,
    uptime_s: float,
) -> Health:  # fmt: skip
    """Of a process that has no engine, no models and no data root yet."""
    return Health(
        status=status, code=code, codes=[code], reason=reason, warnings=[], pid=os.getpid(), version=version,
        device="cpu" if device == "auto" else device, device_name="", model=backbone, gpu_mem_mb=0.0, models_loaded=0,
        uptime_s=round(uptime_s, 1), training_frozen=False, frozen=None, disk_free_mb=0,
        backup=BackupState(last_success_utc=None, error=None, copy_error=None),
        latency_infer_ms=Latency(p50=None, p95=None),
    )  # fmt: skip
