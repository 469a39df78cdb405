"""What the line asks of the service."""

from __future__ import annotations

import asyncio

from gui.service.client import Client
from gui.sources.base import Picture
from service.contract.frames import FramesSummary, InspectAnswer
from service.contract.layouts import LayoutsAnswer


async def inspect(client: Client, role_id: str, picture: Picture, part_id: str) -> InspectAnswer:
    """Judge a whole picture. Raises ServiceError."""
    fields = {"role_id": role_id, "part_id": part_id or None, "heatmap": True}
    image = ("image", (picture.name, picture.data, "application/octet-stream"))
    return await client.upload("/inspect", InspectAnswer, fields, [image])


async def shift_summary(client: Client, role_id: str, since_utc: str) -> FramesSummary:
    return await client.get("/frames/summary", FramesSummary, role_id=role_id or None, since=since_utc)


async def roles(client: Client) -> list[str]:
    """Those with a layout that has ROIs."""
    answer = await client.get("/layouts", LayoutsAnswer)
    return sorted(layout.role_id for layout in answer.layouts if layout.n_rois)


async def settled(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel and wait."""
    found = [task for task in tasks if task is not None]
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)
