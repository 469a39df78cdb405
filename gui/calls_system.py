"""What System asks of the service."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from gui.answers import (
    AuditPage,
    AuditProof,
    Gone,
    KeyNames,
    LogFiles,
    LogPiece,
    NewKey,
    Restarting,
    SettingsPage,
)
from gui.client import Client
from service.contract import BackupsAnswer, FreezeAnswer, Health, VerifyAnswer


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


async def restart(client: Client) -> Restarting:
    return await client.send("POST", "/admin/restart", Restarting)


async def audit(client: Client, action: str = "", before: int | None = None, limit: int = 50) -> AuditPage:
    return await client.get("/audit", AuditPage, limit=limit, before=before, action=action or None)


async def verify_audit(client: Client) -> AuditProof:
    return await client.send("POST", "/audit/verify", AuditProof)


async def logs(client: Client) -> LogFiles:
    return await client.get("/logs", LogFiles)


async def log_lines(client: Client, name: str, after: int | None) -> LogPiece:
    return await client.get(f"/logs/{quote(name, safe='')}", LogPiece, after=after)


async def settings(client: Client) -> SettingsPage:
    return await client.get("/settings", SettingsPage)


async def save_settings(client: Client, values: Mapping[str, str | None]) -> SettingsPage:
    return await client.send("PUT", "/settings", SettingsPage, {"values": dict(values)})


async def keys(client: Client) -> KeyNames:
    return await client.get("/keys", KeyNames)


async def add_key(client: Client, name: str) -> NewKey:
    return await client.send("POST", "/keys", NewKey, {"name": name})


async def delete_key(client: Client, name: str) -> None:
    await client.send("DELETE", f"/keys/{quote(name, safe='')}", Gone)
