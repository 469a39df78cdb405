"""Long work and its progress."""

from __future__ import annotations

from typing import Any, Literal

from service.contract.words import Answer, Value


class Job(Value):
    """`progress` 0 to 1. `problem` has status, code and detail when it failed."""

    job_id: str
    kind: str
    state: Literal["running", "done", "failed", "cancelled"]
    progress: float
    stage: str
    created_utc: str
    ended_utc: str | None
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


class JobAnswer(Answer, Job):
    pass
