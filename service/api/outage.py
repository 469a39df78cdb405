"""The application for a data root that cannot be opened: /health tells the reason, everything else is 503."""

from __future__ import annotations

import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service import __version__, caller
from service.api.gate import Gate
from service.api.problems import problem_response
from service.errors import NotReady
from service.keys import own_hosts
from service.process.starting import not_serving
from service.settings import Settings, split_list

RETRY_AFTER_S = 15


def create_outage_app(settings: Settings, reason: str) -> FastAPI:
    app = FastAPI(title="BrakeDisc Inspector", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    started = time.monotonic()

    @app.get("/health/live")
    async def get_live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health")
    async def get_health() -> JSONResponse:
        answer = not_serving("error", "data_root_closed", reason, settings, started)
        answer.request_id = caller.request_id.get()
        return JSONResponse(answer.model_dump(), 503)

    @app.exception_handler(HTTPException)
    async def on_anything_else(_: Request, __: Exception) -> JSONResponse:
        return problem_response(NotReady(f"Not ready: {reason}", retry_after_s=RETRY_AFTER_S))

    hosts = own_hosts(settings.host, split_list(settings.allowed_hosts))
    app.add_middleware(Gate, hosts=hosts, max_body=settings.max_body_mb * 1_000_000)
    return app
