"""The calls of the running line. Every call raises ServiceError."""

from __future__ import annotations

from gui.service.client import Client, picture_file
from gui.service.layouts import layouts
from service.contract.frames import FramesSummary, InspectAnswer


async def inspect(client: Client, role_id: str, name: str, data: bytes, part_id: str) -> InspectAnswer:
    """Judge a whole picture: `data` is the picture file as the source gave it."""
    fields = {"role_id": role_id, "part_id": part_id or None, "heatmap": True}
    return await client.upload("/inspect", InspectAnswer, fields, picture_file("image", name, data))


async def shift_summary(client: Client, role_id: str, since_utc: str) -> FramesSummary:
    return await client.get("/frames/summary", FramesSummary, role_id=role_id or None, since=since_utc)


async def roles(client: Client) -> list[str]:
    """Roles whose layout has ROIs."""
    return sorted(layout.role_id for layout in await layouts(client) if layout.n_rois)
