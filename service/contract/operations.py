"""Verification, freeze and backups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from service.contract.health import BackupState, Frozen
from service.contract.words import Answer, Value, Verdict


class VerifyCheck(BaseModel):
    kind: Literal["engine", "model", "golden"]
    what: str
    passed: bool
    detail: str
    expected: Verdict | None = None
    verdict: Verdict | None = None
    score: float | None = None
    threshold: float | None = None
    model_version: int | None = None


class VerifyAnswer(Answer):
    passed: bool
    n_golden: int
    checked_utc: str
    checks: list[VerifyCheck]


class FreezeRequest(BaseModel):
    why: Annotated[str, Field(min_length=1, max_length=500)]


class FreezeAnswer(Answer):
    training_frozen: bool
    frozen: Frozen | None


class BackupSummary(Value):
    name: str
    created_utc: str
    version: str
    size_bytes: int


class RestoredState(Value):
    """A state that was brought back and waits to be verified. `carried_over`: later inspection records kept."""

    backup: str
    restored_utc: str
    carried_over: int
    note: str


class BackupsAnswer(Answer, BackupState):
    backups: list[BackupSummary]
    second_folder: str | None
    former_kept: bool
    restored: RestoredState | None


class BackupAnswer(Answer, BackupSummary):
    n_files: int
    copy_error: str | None
    dropped: list[str]


class RestoreAnswer(Answer):
    backup: str
