"""The shape of every error."""

from __future__ import annotations

from pydantic import BaseModel

from service.errors import Problem


class ProblemAnswer(BaseModel):
    """RFC 9457. `error` repeats `detail` for older clients."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str
    request_id: str

    @classmethod
    def of(cls, problem: Problem, request_id: str = "") -> ProblemAnswer:
        return cls(
            type=f"urn:brakedisc:problem:{problem.code}", title=problem.title, status=problem.status,
            detail=problem.detail, code=problem.code, error=problem.detail, request_id=request_id,
        )  # fmt: skip
