"""Health of the service, and the freeze of training."""

from __future__ import annotations

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
