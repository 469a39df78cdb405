"""Routes of pictures. They go through this process, so that the browser never has the service's key."""

from __future__ import annotations

import re
import threading
import uuid
from pathlib import Path

from cachetools import LRUCache
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse

from gui.service.client import Client, ServiceError

# Only pictures: all other routes of the service are closed to the browser.
_PICTURES = re.compile(
    r"datasets/(file|thumbnail)|inspections/[^/]+/(image|heatmap|thumbnail)|frames/[^/]+/(image|thumbnail)"
    r"|layouts/.+/master"
)
_KEPT = 64
# Shown instead of a thumbnail that was not kept: a rectangle with a stroke through it, seen in light and dark.
_NOT_KEPT = Path(__file__).parents[1] / "static" / "not_kept.svg"


class Pictures:
    """The last pictures this process has taken or drawn, in memory. Thread safe."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._lock = threading.Lock()
        self._pictures: LRUCache[str, tuple[bytes, str]] = LRUCache(kept)

    def put(self, data: bytes, media_type: str = "image/png") -> str:
        """URL, for the browser, of that picture. The one unused for longest goes."""
        name = uuid.uuid4().hex
        with self._lock:
            self._pictures[name] = (data, media_type)
        return f"/picture/here/{name}"

    def get(self, name: str) -> tuple[bytes, str] | None:
        with self._lock:
            return self._pictures.get(name)


def routes(client: Client, pictures: Pictures) -> APIRouter:
    router = APIRouter(prefix="/picture")

    @router.get("/here/{name}")
    async def here(name: str) -> Response:
        found = pictures.get(name)
        if found is None:
            return PlainTextResponse("gone", 404)
        return Response(found[0], media_type=found[1], headers={"Cache-Control": "max-age=86400, immutable"})

    @router.get("/service/{path:path}")
    async def of_service(path: str, request: Request) -> Response:
        if not _PICTURES.fullmatch(path):
            return PlainTextResponse("not a picture", 404)
        try:
            data, media_type = await client.picture(f"/{path}", dict(request.query_params))
        except ServiceError as error:
            if error.status == 404 and path.endswith("thumbnail"):
                return FileResponse(_NOT_KEPT, headers={"Cache-Control": "private, max-age=5"})
            return PlainTextResponse(error.detail, error.status or 503)
        return Response(data, media_type=media_type, headers={"Cache-Control": "private, max-age=60"})

    return router
