"""Health of the service: an answer whatever is missing, with every reason in words and its code."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from service import __version__
from service.backend import Device, Kept, People, Upkeep
from service.contract.health import BackupState, Health, Latency
from service.operations import verify
from service.store.backups.restore import restored

Reason = tuple[str, str]  # slug, sentence


def health(device: Device, kept: Kept, people: People, upkeep: Upkeep) -> Health:
    """The caller turns `loading` and `error` into 503."""
    frozen, backups = people.freezing.frozen(), upkeep.backups.outcome()
    stops, doubts = _stops(device), _doubts(device, kept, backups)
    reasons = stops + doubts
    engine = device.loader.engine() if device.loader.state == "ready" else None
    p50, p95 = device.metrics.latency_ms()
    loading = engine is None and stops[0][0] == "loading"
    return Health(
        status="loading" if loading else "error" if stops else "degraded" if doubts else "ok",
        reason=" ".join(sentence for _, sentence in reasons) or None,
        code=reasons[0][0] if reasons else None,
        codes=[slug for slug, _ in reasons],
        warnings=[*([backups.copy_error] if backups.copy_error else []), *device.models.warnings()],
        pid=os.getpid(),
        device=engine.device if engine else "cpu" if kept.settings.device == "auto" else kept.settings.device,
        device_name=engine.device_name if engine else "",
        model=engine.default_backbone if engine else kept.settings.backbone,
        version=__version__,
        gpu_mem_mb=engine.memory_mb() if engine else 0.0,
        models_loaded=len(device.models),
        uptime_s=round(time.monotonic() - upkeep.started, 1),
        training_frozen=frozen is not None,
        frozen=frozen,
        backup=backups,
        disk_free_mb=kept.disk_free() // 1_000_000,
        latency_infer_ms=Latency(p50=p50, p95=p95),
    )


def _stops(device: Device) -> list[Reason]:
    """Reasons why nothing can be inspected."""
    found = []
    if not device.settings.data_root.is_dir():
        root = device.settings.data_root
        found.append(("data_root_gone", f"The data root {root} is gone: plug its disk in again, or restart."))
    if device.loader.state != "ready":
        found.append((device.loader.code, device.loader.reason))
    elif lost := device.loader.engine().lost():
        found.append(("device_lost", lost))
    return found


def _doubts(device: Device, kept: Kept, backups: BackupState) -> list[Reason]:
    """Reasons to look after the service while inspection goes on."""
    found = [("model_damaged", sentence) for sentence in device.models.problems()]
    if kept.disk_free() < kept.settings.min_free_mb * 1_000_000:
        found.append(("disk_low", "Free disk space is under BACKEND_MIN_FREE_MB: pictures are no longer kept."))
    if waiting := restored(kept.settings.data_root):
        said = f"The state of {waiting.backup} was restored and is not verified: POST /admin/verify. {waiting.note}"
        found.append(("restore_not_verified", said.strip()))
    if gate := verify.gate(kept, datetime.now(UTC)):
        found.append(gate)
    if backups.error:
        found.append(("backup_failed", f"The last backup failed: {backups.error}"))
    return found
