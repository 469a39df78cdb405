"""One shape for every error: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service import caller
from service.contract.problem import ProblemAnswer
from service.errors import InvalidField, NotFound, Problem, TooLarge

log = logging.getLogger(__name__)
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    some: {"description": f"What is wrong with the {what}, and what to do", "content": _CONTENT, "model": ProblemAnswer}
    for some, what in (("4XX", "request"), ("5XX", "service"))
}


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_anything)


def problem_response(problem: Problem) -> JSONResponse:
    body = ProblemAnswer.of(problem, caller.request_id.get())
    headers = {"X-Request-Id": body.request_id}  # the answer to a crash is made outside of the gate
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return JSONResponse(body.model_dump(), problem.status, headers, media_type="application/problem+json")


async def _on_problem(_: Request, problem: Exception) -> JSONResponse:
    assert isinstance(problem, Problem)
    log.warning("refused", extra={"status": problem.status, "code": problem.code, "detail": problem.detail})
    return problem_response(problem)


async def _on_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(_sentence(item) for item in error.errors()[:5])
    return problem_response(InvalidField(said))


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    """What Starlette itself refuses: unknown path, wrong method, unreadable form."""
    assert isinstance(error, HTTPException)
    if error.status_code == NotFound.status:
        return problem_response(NotFound("No such path; GET /docs shows what there is."))
    if error.status_code == TooLarge.status:
        return problem_response(TooLarge(str(error.detail)))
    problem = Problem(f"{str(error.detail).rstrip('.')}.")
    problem.status, problem.title = error.status_code, HTTPStatus(error.status_code).phrase
    problem.code = problem.title.lower().replace(" ", "_")
    response = problem_response(problem)
    response.headers.update(error.headers or {})
    return response


async def _on_anything(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return problem_response(
        Problem("Something unexpected happened; the service's log says more under this request id.")
    )


def _sentence(item: dict[str, Any]) -> str:
    if item["type"] == "json_invalid":
        return f"body: not JSON: {item['ctx']['error']}, at character {item['loc'][-1]}"
    where = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path"))
    return f"{where or 'body'}: {item['msg'].removeprefix('Value error, ')}"
