"""Dependencies of every route: the backend, and a checked API key."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request

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
