"""Audit log, log files, settings and API keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from service.contract.words import Answer, Value

Source = Literal["environment", "file", "default"]
Kind = Literal["text", "number", "integer", "switch", "choice", "secret", "path"]
KeyName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\s:,](?:[^:,\x00-\x1f\x7f]*[^\s:,])?$")]
SettingName = Annotated[str, Field(min_length=1, max_length=64)]
SettingValue = Annotated[str, Field(max_length=4096)]


class AuditEntry(BaseModel):
    seq: int
    time_utc: str
    who: str
    station: str
    action: str
    target: dict[str, Any]
    old: Any
    new: Any
    entry_request_id: str


class AuditAnswer(Answer):
    """Newest first."""

    entries: list[AuditEntry]


class AuditVerifyAnswer(Answer):
    """`problem`: the first that was found, null for an unchanged log; `n` entries were checked."""

    intact: bool
    n: int
    problem: str | None


class LogFileAbout(Value):
    name: str
    size_bytes: int
    modified_utc: str


class LogsAnswer(Answer):
    logs: list[LogFileAbout]


class LogPiece(Value):
    """Whole lines from byte `after` on; `next` is where to go on."""

    name: str
    after: int
    next: int
    lines: list[str]


class LogPieceAnswer(Answer, LogPiece):
    pass


class SettingAbout(BaseModel):
    """`value`: read by the next start. `running`: in force now. Both are empty for a secret; `set`: there is one."""

    name: str
    value: str
    set: bool
    default: str
    help: dict[Literal["en", "es"], str]
    source: Source
    kind: Kind
    minimum: float | None
    maximum: float | None
    choices: list[str] | None
    running: str


class SettingsAnswer(Answer):
    settings: list[SettingAbout]
    restart_needed: bool


class SettingsRequest(BaseModel):
    """null, or an empty text: back to the default."""

    values: Annotated[dict[SettingName, SettingValue | None], Field(max_length=100)]


class RestartAnswer(Answer):
    restarting: bool


class KeyAbout(BaseModel):
    name: str


class KeysAnswer(Answer):
    keys: list[KeyAbout]
    from_environment: bool


class KeyRequest(BaseModel):
    name: KeyName


class NewKeyAnswer(Answer):
    """`key` is shown this once."""

    name: str
    key: str
