"""Whole frames: inspect one by its role's layout; find, count and show those that were."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile

from service.api.fields import RoleForm, Side, picture, read, small_picture, utc
from service.api.request import Parts, answered
from service.contract.frames import (
    FrameAnswer,
    FramesAnswer,
    FramesSummary,
    FrameVerdict,
    InspectAnswer,
)
from service.contract.words import Name
from service.inspection import history
from service.inspection.frame import FrameRequest, inspect_frame
from service.inspection.pictures import frame_picture, small
from service.store.records.frames import FrameFilter

router = APIRouter(tags=["frames"])


async def _filter(
    role_id: Annotated[Name | None, Query()] = None,
    part_id: Annotated[Name | None, Query()] = None,
    verdict: Annotated[FrameVerdict | None, Query(description="ERROR: those that could not be judged")] = None,
    since: Annotated[datetime | None, Query(description="ISO 8601; UTC when it names no zone")] = None,
    before: Annotated[datetime | None, Query()] = None,
) -> FrameFilter:
    return FrameFilter(role_id, part_id, verdict, utc(since), utc(before))


Filter = Annotated[FrameFilter, Depends(_filter)]


@router.post("/inspect", response_model=InspectAnswer)
def post_inspect(
    backend: Parts,
    role_id: RoleForm,
    image: UploadFile,
    part_id: Annotated[Name | None, Form(description="Serial number or code of the part")] = None,
    heatmap: Annotated[bool, Form()] = True,
) -> Response:
    """`curl -F role_id=disc -F image=@part.png http://127.0.0.1:8000/inspect`"""
    name, data = read(image)
    answer = answered(
        inspect_frame(backend.device, backend.kept, FrameRequest(role_id, part_id or None, heatmap, name), data)
    )
    return Response(answer.model_dump_json(), media_type="application/json")


@router.get("/frames")
def get_frames(
    backend: Parts,
    which: Filter,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> FramesAnswer:
    """`curl 'http://127.0.0.1:8000/frames?role_id=disc&verdict=NG'`"""
    return answered(history.frames(backend.kept, which, limit, offset))


@router.get("/frames/summary")
def get_summary(backend: Parts, which: Filter) -> FramesSummary:
    """`curl 'http://127.0.0.1:8000/frames/summary?role_id=disc&since=2026-11-25T06:00:00Z'`"""
    return answered(history.frames_summary(backend.kept, which))


@router.get("/frames/{frame_id}")
def get_frame(backend: Parts, frame_id: str) -> FrameAnswer:
    """`curl http://127.0.0.1:8000/frames/ID`"""
    return answered(history.frame(backend.kept, frame_id))


@router.get("/frames/{frame_id}/image", response_class=Response, responses={200: {"content": {"image/*": {}}}})
def get_image(backend: Parts, frame_id: str) -> Response:
    """`curl -o part.png http://127.0.0.1:8000/frames/ID/image`: the picture as it was received"""
    return picture(frame_picture(backend.kept, frame_id))


@router.get("/frames/{frame_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(backend: Parts, frame_id: str, side: Side = 160) -> Response:
    """`curl -o small.jpg 'http://127.0.0.1:8000/frames/ID/thumbnail?side=160'`"""
    return small_picture(small(backend.kept, frame_picture(backend.kept, frame_id), side, frame_id))
