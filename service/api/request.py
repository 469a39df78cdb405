"""Dependencies of every route: the backend, and a checked API key."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response

from service import caller
from service.backend import Backend
from service.contract.words import Answer
from service.keys import check_key


async def _backend(request: Request) -> Backend:  # async: a plain function would cost a thread hop
    backend = request.scope["backend"]
    assert isinstance(backend, Backend)
    return backend


T = TypeVar("T", bound=Answer)
Parts = Annotated[Backend, Depends(_backend)]


async def require_key(backend: Parts, x_api_key: Annotated[str | None, Header()] = None) -> None:
    """Async, so that the caller's name is set in the request's own context and reaches its records."""
    caller.key_name.set(check_key(backend.people.keys.current(), x_api_key))


def answered(answer: T) -> T:
    """The answer with this request's id."""
    return answer.model_copy(update={"request_id": caller.request_id.get()})


STARTED: dict[int | str, dict[str, Any]] = {202: {"description": "Started; Location names the job"}}
Prefer = Annotated[str, Header(description="respond-async: do not wait for the job")]


def of_job(answer: type[T], started: tuple[str, Future[dict[str, Any]]], prefer: str) -> T | Response:
    """What the job made, or where to follow it for a caller who does not wait."""
    job_id, done = started
    if "respond-async" in prefer:
        return Response(status_code=202, headers={"Location": f"/jobs/{job_id}"})
    return answered(answer(**done.result()))
