"""Downloads: files of the service, passed on to the browser piece by piece, because they may be large."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from gui.service.client import Client, ServiceError
from gui.service.history import Choice

_ASKED = ("role_id", "roi_id", "part_id", "verdict", "since", "before")


def csv_address(choice: Choice) -> str:
    """Address of the inspections of that choice as CSV."""
    return f"/download/inspections.csv?{urlencode(choice.query())}"


def routes(client: Client) -> APIRouter:
    router = APIRouter(prefix="/download")

    @router.get("/inspections.csv")
    async def inspections(request: Request) -> Response:
        asked = {name: value for name, value in request.query_params.items() if name in _ASKED}
        pieces = client.stream("/inspections", **asked, format="csv")
        try:
            first = await anext(pieces, b"")
        except ServiceError as error:
            return PlainTextResponse(error.detail, error.status or 503)
        headers = {"Content-Disposition": 'attachment; filename="inspections.csv"'}
        return StreamingResponse(_all(first, pieces), media_type="text/csv", headers=headers)

    return router


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """When the service stops in the middle, the download breaks off, because half a file must not look whole."""
    yield first
    async for piece in rest:
        yield piece
