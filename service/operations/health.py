"""How is it doing: one answer, whatever is missing, with every reason in words and the first one's slug."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from datetime import UTC, datetime

from service import __version__
from service.backend import Backend
from service.contract.health import BackupState, Frozen, Health, Latency
from service.operations import verify
from service.store.backups.make import Outcome
from service.store.backups.restore import restored

Reason = tuple[str, str]  # slug, sentence


def health(backend: Backend) -> Health:
    """The caller turns `loading` and `error` into 503."""
    frozen, backups = backend.freezing.frozen(), backend.backups.outcome()
    stops, doubts = _stops(backend), _doubts(backend, backups)
    reasons = stops + doubts
    engine = backend.loader.engine() if backend.loader.state == "ready" else None
    p50, p95 = backend.metrics.latency_ms()
    loading = engine is None and stops[0][0] == "loading"
    return Health(
        status="loading" if loading else "error" if stops else "degraded" if doubts else "ok",
        reason=" ".join(sentence for _, sentence in reasons) or None,
        code=reasons[0][0] if reasons else None,
        codes=[slug for slug, _ in reasons],
        warnings=[backups.copy_error] if backups.copy_error else [],
        pid=os.getpid(),
        device=engine.device if engine else "cpu" if backend.settings.device == "auto" else backend.settings.device,
        device_name=engine.device_name if engine else "",
        model=engine.default_backbone if engine else backend.settings.backbone,
        version=__version__,
        gpu_mem_mb=engine.memory_mb() if engine else 0.0,
        models_loaded=len(backend.cache),
        uptime_s=round(time.monotonic() - backend.started, 1),
        training_frozen=frozen is not None,
        frozen=Frozen(**asdict(frozen)) if frozen else None,
        backup=BackupState(**asdict(backups)),
        disk_free_mb=backend.disk_free() // 1_000_000,
        latency_infer_ms=Latency(p50=p50, p95=p95),
    )


def _stops(backend: Backend) -> list[Reason]:
    """Why nothing can be inspected."""
    found = []
    if not backend.settings.data_root.is_dir():
        root = backend.settings.data_root
        found.append(("data_root_gone", f"The data root {root} is gone: plug its disk in again, or restart."))
    if backend.loader.state != "ready":
        found.append((backend.loader.code, backend.loader.reason))
    elif lost := backend.loader.engine().lost():
        found.append(("device_lost", lost))
    return found


def _doubts(backend: Backend, backups: Outcome) -> list[Reason]:
    """What somebody has to look at while inspection goes on."""
    found = [("model_damaged", sentence) for sentence in backend.cache.problems()]
    if backend.disk_free() < backend.settings.min_free_mb * 1_000_000:
        found.append(("disk_low", "Free disk space is under BACKEND_MIN_FREE_MB: pictures are no longer kept."))
    if waiting := restored(backend.settings.data_root):
        said = f"The state of {waiting.backup} was restored and is not verified: POST /admin/verify. {waiting.note}"
        found.append(("restore_not_verified", said.strip()))
    if gate := verify.gate(backend, datetime.now(UTC)):
        found.append(gate)
    if backups.error:
        found.append(("backup_failed", f"The last backup failed: {backups.error}"))
    return found
