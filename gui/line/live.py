"""The live picture of the source, as long as a page shows it: JPEGs one after another in one answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gui.line.line import Line
from gui.pictures.display import jpeg
from gui.sources.base import SourceError

PATH = "/picture/live"
EVERY_S, AGAIN_S = 0.2, 0.5  # 5 pictures a second: enough to aim and to focus, and little for a PC that inspects
SIDE_PX = 1280
_LINE = b"\r\n"
_BOUNDARY = _LINE + b"--picture" + _LINE


def routes(line: Line) -> APIRouter:
    router = APIRouter()

    @router.get(PATH)
    async def live() -> StreamingResponse:
        kind = "multipart/x-mixed-replace; boundary=picture"
        return StreamingResponse(_parts(line), media_type=kind, headers={"Cache-Control": "no-store"})

    return router


async def _parts(line: Line) -> AsyncIterator[bytes]:
    """Ends when the browser goes. While the source is away, the page keeps the last picture and says so."""
    before: np.ndarray | None = None
    sent_s = 0.0
    yield _BOUNDARY
    while True:
        frame, now_s = await _seen(line), time.monotonic()
        # an unchanged picture is sent again, because a browser shows a part only when the next one has begun
        if frame is not None and (frame is not before or now_s - sent_s > AGAIN_S):
            before, sent_s = frame, now_s
            data = await asyncio.get_running_loop().run_in_executor(None, jpeg, frame, SIDE_PX)
            yield b"Content-Type: image/jpeg" + 2 * _LINE + data + _BOUNDARY
        await asyncio.sleep(EVERY_S)


async def _seen(line: Line) -> np.ndarray | None:
    try:
        return await line.of_source(line.source.preview)
    except SourceError:
        return None
