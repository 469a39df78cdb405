"""The calls that operate the service. Every call raises ServiceError."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from gui.service.client import Client
from service.contract.health import Health
from service.contract.operations import BackupsAnswer, FreezeAnswer, VerifyAnswer
from service.contract.samples import DeletedAnswer
from service.contract.system import (
    AuditAnswer,
    AuditVerifyAnswer,
    KeysAnswer,
    LogPieceAnswer,
    LogsAnswer,
    NewKeyAnswer,
    RestartAnswer,
    SettingsAnswer,
)  # fmt: skip


async def health(client: Client) -> Health:
    return await client.once("/health", Health, also=(503,), timeout_s=5.0)


async def backups(client: Client) -> BackupsAnswer:
    return await client.get("/backups", BackupsAnswer)


async def start_backup(client: Client) -> str:
    return await client.start_job("/backups")


async def start_restore(client: Client, name: str) -> str:
    return await client.start_job(f"/backups/{quote(name, safe='')}/restore")


async def freeze(client: Client, why: str) -> FreezeAnswer:
    return await client.send("POST", "/admin/freeze", FreezeAnswer, {"why": why})


async def release(client: Client) -> FreezeAnswer:
    return await client.send("POST", "/admin/unfreeze", FreezeAnswer)


async def verify(client: Client) -> VerifyAnswer:
    return await client.send("POST", "/admin/verify", VerifyAnswer)


async def restart(client: Client) -> RestartAnswer:
    return await client.send("POST", "/admin/restart", RestartAnswer)


async def audit(client: Client, action: str = "", before: int | None = None, limit: int = 50) -> AuditAnswer:
    return await client.get("/audit", AuditAnswer, limit=limit, before=before, action=action or None)


async def verify_audit(client: Client) -> AuditVerifyAnswer:
    return await client.send("POST", "/audit/verify", AuditVerifyAnswer)


async def logs(client: Client) -> LogsAnswer:
    return await client.get("/logs", LogsAnswer)


async def log_lines(client: Client, name: str, after: int | None) -> LogPieceAnswer:
    return await client.get(f"/logs/{quote(name, safe='')}", LogPieceAnswer, after=after)


async def settings(client: Client) -> SettingsAnswer:
    return await client.get("/settings", SettingsAnswer)


async def save_settings(client: Client, values: Mapping[str, str | None]) -> SettingsAnswer:
    return await client.send("PUT", "/settings", SettingsAnswer, {"values": dict(values)})


async def keys(client: Client) -> KeysAnswer:
    return await client.get("/keys", KeysAnswer)


async def add_key(client: Client, name: str) -> NewKeyAnswer:
    return await client.send("POST", "/keys", NewKeyAnswer, {"name": name})


async def delete_key(client: Client, name: str) -> DeletedAnswer:
    return await client.send("DELETE", f"/keys/{quote(name, safe='')}", DeletedAnswer)
