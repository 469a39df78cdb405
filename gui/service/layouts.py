"""Layouts of the service, in the contract's values. Every call raises ServiceError."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from gui.service.client import Client, optional, picture_file
from gui.service.urls import service_picture
from service.contract.layouts import (
    AlignAnswer,
    Alignment,
    Layout,
    LayoutAnswer,
    LayoutRequest,
    LayoutsAnswer,
    LayoutSummary,
)  # fmt: skip
from service.contract.models import ModelsAnswer
from service.contract.samples import DeletedAnswer


async def layouts(client: Client) -> Sequence[LayoutSummary]:
    return (await client.get("/layouts", LayoutsAnswer)).layouts


async def layout(client: Client, role_id: str, *but_for: str) -> LayoutAnswer | None:
    """None for a role without a layout, and for the error codes in `but_for`."""
    return await optional(client.get(_path(role_id), LayoutAnswer), *but_for)


async def save(client: Client, role_id: str, wanted: LayoutRequest) -> Layout:
    return await client.send("PUT", _path(role_id), LayoutAnswer, wanted.model_dump())


async def put_master(client: Client, role_id: str, revision: int, name: str, data: bytes) -> Layout:
    files = picture_file("image", name, data)
    return await client.upload(f"{_path(role_id)}/master", LayoutAnswer, {}, files, method="PUT", revision=revision)


async def align(client: Client, role_id: str, name: str, data: bytes) -> Alignment | None:
    """None: the stored layout has no marks."""
    files = picture_file("image", name, data)
    return (await client.upload(f"{_path(role_id)}/align", AlignAnswer, {}, files)).alignment


async def delete(client: Client, role_id: str, revision: int) -> None:
    await client.send("DELETE", _path(role_id), DeletedAnswer, revision=revision)


def with_models(rois: dict[str, list[str]], models: ModelsAnswer) -> dict[str, list[str]]:
    """ROIs by role, and those of them that only have a model."""
    for model in models.models:
        known = rois.setdefault(model.role_id, [])
        known += [] if model.roi_id in known else [model.roi_id]
    return rois


def master_url(layout: Layout) -> str:
    """For the browser. The hash makes another URL of another master, so that no cache shows the old one."""
    assert layout.master is not None
    return service_picture(f"layouts/{quote(layout.role_id, safe='')}/master", v=layout.master.sha256[:16])


def _path(role_id: str) -> str:
    return f"/layouts/{quote(role_id, safe='')}"
