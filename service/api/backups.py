"""Backups: make one, list them, bring one back."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from service.api.request import STARTED, Parts, Prefer, answered, of_job
from service.contract.operations import BackupAnswer, BackupsAnswer, RestoreAnswer
from service.operations import backup as backing_up
from service.store.backups.restore import former_is_kept, restored

router = APIRouter(prefix="/backups", tags=["operations"])


@router.get("")
def get_backups(backend: Parts) -> BackupsAnswer:
    """`curl http://127.0.0.1:8000/backups`: newest first"""
    second, root = backend.settings.backup_dir, backend.settings.data_root
    return answered(
        BackupsAnswer.of(
            backend.upkeep.backups.outcome(),
            backups=backend.upkeep.backups.all(),
            second_folder=str(second) if second else None,
            former_kept=former_is_kept(root),
            restored=restored(root),
        )
    )


@router.post("", response_model=BackupAnswer, responses=STARTED)
def post_backups(backend: Parts, prefer: Prefer = "") -> BackupAnswer | Response:
    """`curl -X POST http://127.0.0.1:8000/backups`"""
    work = partial(backing_up.back_up, backend.device, backend.upkeep)
    return of_job(BackupAnswer, backend.upkeep.jobs.start("backup", work, lane="disk"), prefer)


@router.post("/{name}/restore", response_model=RestoreAnswer, responses=STARTED)
def post_restore(backend: Parts, name: str, prefer: Prefer = "") -> RestoreAnswer | Response:
    """`curl -X POST http://127.0.0.1:8000/backups/NAME/restore`: checks it, then restarts with it"""
    work = partial(backing_up.restore, backend.people, backend.upkeep, name)
    return of_job(RestoreAnswer, backend.upkeep.jobs.start("restore", work, lane="disk"), prefer)
