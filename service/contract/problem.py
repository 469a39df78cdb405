"""How every error is told."""

from __future__ import annotations

from pydantic import BaseModel


class ProblemAnswer(BaseModel):
    """RFC 9457. `error` repeats `detail` for older clients."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str
    request_id: str
