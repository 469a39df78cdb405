"""The application: routes, error shape, gate, pages."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import anyio.to_thread
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import iter_route_contexts
from fastapi_offline import FastAPIOffline
from starlette.applications import Starlette
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from service import __version__
from service.api import (
    backups,
    frames,
    health,
    inference,
    insight,
    inspections,
    jobs,
    layouts,
    models,
    operations,
    overview,
    problems,
    samples,
    system,
    teaching,
)
from service.api.gate import Gate
from service.api.request import require_key
from service.backend import Backend
from service.keys import own_hosts
from service.operations.audit import note_settings
from service.operations.daily import housekeeping
from service.settings import split_list

# Threads for requests that are not inspections: fits that wait, uploads, listings.
SPARE_THREADS = 24
# A picture up to here waits in memory, where it is read whole anyway: a file beside costs a thread's turn for each
# piece, and wants a folder for temporary files.
MultiPartParser.spool_max_size = 64 * 1024 * 1024


def create_app(backend: Backend) -> Starlette:
    """One service: its backend, limits and life around the routes, which are the same for all."""
    settings = backend.settings

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.queue_size + SPARE_THREADS
        note_settings(backend.people.audit, settings)
        backend.device.loader.start()
        keeper = housekeeping(backend.device, backend.kept, backend.people, backend.upkeep)
        keeper.start()
        yield
        await anyio.to_thread.run_sync(keeper.close)
        await anyio.to_thread.run_sync(backend.close)

    hosts = own_hosts(settings.host, split_list(settings.allowed_hosts))
    middleware = [Middleware(Gate, hosts=hosts, max_body=settings.max_body_mb * 1_000_000)]
    if settings.allow_origins:
        allowed = split_list(settings.allow_origins)
        exposed = ["X-Request-Id", "Location", "Retry-After"]
        middleware.append(
            Middleware(
                CORSMiddleware, allow_origins=allowed, allow_methods=["*"], allow_headers=["*"], expose_headers=exposed
            )
        )
    shared = routes()

    async def with_backend(scope: Scope, receive: Receive, send: Send) -> None:
        await shared({**scope, "backend": backend}, receive, send)

    app = Starlette(middleware=middleware, lifespan=lifespan)
    app.router.default = with_backend
    app.state.backend = backend
    return app


@cache
def routes() -> FastAPI:
    """All routes, made once in a process: that costs a quarter of a second, and FastAPI forgets no application."""
    # FastAPI with the scripts of its /docs pages in the package: they work without internet
    app: FastAPI = FastAPIOffline(title="BrakeDisc Inspector", version=__version__, responses=problems.DOCUMENTED)
    problems.install(app)
    app.include_router(health.router)
    for module in (
        inference, frames, insight, teaching, samples, models, overview, inspections, jobs, backups, operations,
        layouts, system,
    ):  # fmt: skip
        app.include_router(module.router, dependencies=[Depends(require_key)])
    app.include_router(health.metrics, dependencies=[Depends(require_key)])
    # FastAPI would resolve the routes in the middle of the first request, and change the warnings' filters of every
    # thread while it does: here nothing else runs yet
    deque(iter_route_contexts(app.routes), maxlen=0)
    return app
