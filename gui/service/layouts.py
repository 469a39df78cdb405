"""What the screen Layout asks of the service, in the contract's words. Every call raises ServiceError."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from gui.layout.editing import Draft
from gui.service.client import Client, ServiceError
from gui.service.urls import service_picture
from service.contract.layouts import AlignAnswer, Alignment, Layout, LayoutAnswer, LayoutsAnswer, LayoutSummary
from service.contract.samples import DeletedAnswer


async def layouts(client: Client) -> Sequence[LayoutSummary]:
    return (await client.get("/layouts", LayoutsAnswer)).layouts


async def layout(client: Client, role_id: str) -> Layout | None:
    """None for a role that has none yet."""
    try:
        return await client.get(_path(role_id), LayoutAnswer)
    except ServiceError as error:
        if error.status == 404:
            return None
        raise


async def save(client: Client, role_id: str, revision: int, draft: Draft) -> Layout:
    body = {
        "revision": revision,
        "mm_per_px": draft.mm_per_px,
        "locked": draft.locked,
        "marks": [mark.model_dump() for mark in draft.marks],
        "rois": [roi.model_dump() for roi in draft.rois],
    }
    return await client.send("PUT", _path(role_id), LayoutAnswer, body)


async def put_master(client: Client, role_id: str, revision: int, name: str, data: bytes) -> Layout:
    files = [("image", (name, data, "application/octet-stream"))]
    return await client.upload(f"{_path(role_id)}/master", LayoutAnswer, {}, files, method="PUT", revision=revision)


async def align(client: Client, role_id: str, name: str, data: bytes) -> Alignment | None:
    """None: the stored layout has no marks."""
    files = [("image", (name, data, "application/octet-stream"))]
    return (await client.upload(f"{_path(role_id)}/align", AlignAnswer, {}, files)).alignment


async def delete(client: Client, role_id: str, revision: int) -> None:
    await client.send("DELETE", _path(role_id), DeletedAnswer, revision=revision)


def master_url(layout: Layout) -> str:
    """For the browser; another master is another URL."""
    assert layout.master is not None
    return service_picture(f"layouts/{quote(layout.role_id, safe='')}/master", v=layout.master.sha256[:16])


def _path(role_id: str) -> str:
    return f"/layouts/{quote(role_id, safe='')}"
