"""An ROI's stored samples."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response, UploadFile

from service.api.fields import (
    FileName,
    RoiForm,
    RoiQuery,
    RoleForm,
    RoleQuery,
    Side,
    parse_metas,
    read,
    small_picture,
)
from service.api.request import Parts, answered
from service.contract.samples import (
    DatasetAnswer,
    DeletedAnswer,
    FromInspectionsRequest,
    GoldenAnswer,
    GoldenRequest,
    MovedAnswer,
    MoveRequest,
    SamplesListAnswer,
    UploadAnswer,
)
from service.contract.words import Label, MmPerPx, Name
from service.teaching import samples

router = APIRouter(prefix="/datasets", tags=["datasets"])


@router.post("/{label}/upload")
def post_upload(
    backend: Parts,
    label: Label,
    role_id: RoleForm,
    roi_id: RoiForm,
    images: list[UploadFile],
    metas: Annotated[list[str] | None, Form()] = None,
    mm_per_px: Annotated[MmPerPx | None, Form()] = None,
) -> UploadAnswer:
    """`curl -F role_id=disc -F roi_id=ring -F mm_per_px=0.25 -F images=@good1.png
    http://127.0.0.1:8000/datasets/ok/upload`"""
    pictures = [read(image) for image in images]
    meta = parse_metas(metas or [], len(pictures))
    return answered(
        samples.upload(backend.device, backend.kept, backend.people, role_id, roi_id, label, pictures, meta, mm_per_px)
    )


@router.post("/{label}/from_inspections")
def post_from_inspections(backend: Parts, label: Label, asked: FromInspectionsRequest) -> UploadAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","inspection_ids":["ID"]}'
    http://127.0.0.1:8000/datasets/ng/from_inspections`"""
    return answered(samples.from_inspections(backend.device, backend.kept, backend.people, label, asked))


@router.post("/move")
def post_move(backend: Parts, asked: MoveRequest) -> MovedAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","filename":"...","label":"ok",
    "to":"ng"}' http://127.0.0.1:8000/datasets/move`"""
    return answered(samples.relabel(backend.kept, backend.people, asked))


@router.put("/golden")
def put_golden(backend: Parts, asked: GoldenRequest) -> GoldenAnswer:
    """`curl -X PUT -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","label":"ok",
    "filename":"...","expected":"OK"}' http://127.0.0.1:8000/datasets/golden`: null takes the mark away"""
    return answered(samples.mark_golden(backend.kept, backend.people, asked))


@router.get("/golden")
def get_golden(
    backend: Parts, role_id: Annotated[Name | None, Query()] = None, roi_id: Annotated[Name | None, Query()] = None
) -> GoldenAnswer:
    """`curl http://127.0.0.1:8000/datasets/golden`"""
    return answered(samples.golden(backend.kept, role_id, roi_id))


@router.get("/list")
def get_list(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery) -> DatasetAnswer:
    """`curl 'http://127.0.0.1:8000/datasets/list?role_id=disc&roi_id=ring'`"""
    return answered(samples.listing(backend.kept, role_id, roi_id))


@router.get("/samples")
def get_samples(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label) -> SamplesListAnswer:
    """`curl 'http://127.0.0.1:8000/datasets/samples?role_id=disc&roi_id=ring&label=ok'`"""
    return answered(samples.samples(backend.kept, role_id, roi_id, label))


@router.get("/thumbnail", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(
    backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label, filename: FileName, side: Side = 160
) -> Response:
    """`curl 'http://127.0.0.1:8000/datasets/thumbnail?role_id=disc&roi_id=ring&label=ok&filename=...&side=160'`"""
    return small_picture(samples.sample_thumbnail(backend.kept, role_id, roi_id, label, filename, side))


@router.get("/file", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_file(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label, filename: FileName) -> Response:
    """`curl 'http://127.0.0.1:8000/datasets/file?role_id=disc&roi_id=ring&label=ok&filename=...'`"""
    return Response(backend.kept.samples.picture(role_id, roi_id, label, filename), media_type="image/png")


@router.get("/meta")
def get_meta(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label, filename: FileName) -> dict[str, Any]:
    """`curl 'http://127.0.0.1:8000/datasets/meta?role_id=disc&roi_id=ring&label=ok&filename=...'`"""
    return asdict(backend.kept.samples.sample(role_id, roi_id, label, filename))


@router.delete("/file")
def delete_file(
    backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label, filename: FileName
) -> DeletedAnswer:
    """`curl -X DELETE 'http://127.0.0.1:8000/datasets/file?role_id=disc&roi_id=ring&label=ok&filename=...'`"""
    return answered(
        DeletedAnswer(deleted=samples.delete(backend.kept, backend.people, role_id, roi_id, label, filename))
    )


@router.delete("/clear")
def delete_clear(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, label: Label) -> DeletedAnswer:
    """`curl -X DELETE 'http://127.0.0.1:8000/datasets/clear?role_id=disc&roi_id=ring&label=ng'`"""
    return answered(DeletedAnswer(deleted=samples.clear(backend.kept, backend.people, role_id, roi_id, label)))
