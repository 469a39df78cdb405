"""Looking after the service: audit log, log files, settings, keys, restart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from service.api.request import Parts, answered
from service.contract.samples import DeletedAnswer
from service.contract.system import (
    AuditAnswer,
    AuditVerifyAnswer,
    KeyRequest,
    KeysAnswer,
    LogPieceAnswer,
    LogsAnswer,
    NewKeyAnswer,
    RestartAnswer,
    SettingsAnswer,
    SettingsRequest,
)
from service.operations import audit, configure

router = APIRouter(tags=["system"])


@router.get("/audit")
def get_audit(
    backend: Parts,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=10**12, description="Only entries with smaller numbers")] = None,
    action: Annotated[str, Query(max_length=64)] = "",
) -> AuditAnswer:
    """`curl 'http://127.0.0.1:8000/audit?limit=10&action=calibrate'`"""
    return answered(audit.page(backend.settings.data_root, action, before, limit))


@router.post("/audit/verify")
def post_verify(backend: Parts) -> AuditVerifyAnswer:
    """`curl -X POST http://127.0.0.1:8000/audit/verify`"""
    return answered(audit.prove(backend.settings.data_root))


@router.get("/logs")
def get_logs(backend: Parts) -> LogsAnswer:
    """`curl http://127.0.0.1:8000/logs`"""
    return answered(LogsAnswer(logs=backend.upkeep.logs.all()))


@router.get("/logs/{name}")
def get_log(
    backend: Parts,
    name: str,
    after: Annotated[int | None, Query(ge=0, le=10**15, description="Byte to read from; left out: the end")] = None,
    limit_bytes: Annotated[int, Query(ge=1024, le=4_000_000)] = 65_536,
) -> LogPieceAnswer:
    """`curl 'http://127.0.0.1:8000/logs/service.log?after=0'`"""
    return answered(LogPieceAnswer.of(backend.upkeep.logs.read(name, after, limit_bytes)))


@router.get("/settings")
def get_settings(backend: Parts) -> SettingsAnswer:
    """`curl http://127.0.0.1:8000/settings`"""
    return answered(configure.settings(backend.kept, backend.upkeep))


@router.put("/settings")
def put_settings(backend: Parts, asked: SettingsRequest) -> SettingsAnswer:
    """`curl -X PUT -H 'Content-Type: application/json' -d '{"values":{"BACKEND_KEEP_NG_DAYS":"365"}}'
    http://127.0.0.1:8000/settings`
    """
    return answered(configure.change_settings(backend.kept, backend.people, backend.upkeep, asked))


@router.post("/admin/restart", status_code=status.HTTP_202_ACCEPTED)
def post_restart(backend: Parts) -> RestartAnswer:
    """`curl -X POST http://127.0.0.1:8000/admin/restart`"""
    return answered(configure.restart(backend.people, backend.upkeep))


@router.get("/keys")
def get_keys(backend: Parts) -> KeysAnswer:
    """`curl http://127.0.0.1:8000/keys`"""
    return answered(configure.keys(backend.people))


@router.post("/keys")
def post_key(backend: Parts, asked: KeyRequest) -> NewKeyAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"name":"line-2"}' http://127.0.0.1:8000/keys`"""
    return answered(configure.add_key(backend.people, backend.upkeep, asked.name))


@router.delete("/keys/{name}")
def delete_key(backend: Parts, name: Annotated[str, Path(max_length=60)]) -> DeletedAnswer:
    """`curl -X DELETE http://127.0.0.1:8000/keys/line-2`"""
    configure.delete_key(backend.people, backend.upkeep, name)
    return answered(DeletedAnswer(deleted=1))
