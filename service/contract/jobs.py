"""Long work and its progress."""

from __future__ import annotations

from typing import Any, Literal

from service.contract.words import Answer


class JobAnswer(Answer):
    job_id: str
    kind: str
    state: Literal["running", "done", "failed", "cancelled"]
    progress: float
    stage: str
    created_utc: str
    ended_utc: str | None
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
