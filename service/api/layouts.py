"""A role's layout: master picture, marks and ROIs; align a frame with it, cut samples from frames.

A role's name may have slashes: the routes with a longer path come first.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Response, UploadFile
from pydantic import TypeAdapter, ValidationError

from service.api.fields import read
from service.api.request import Parts, answered
from service.contract.layouts import (
    AlignAnswer,
    LayoutAnswer,
    LayoutRequest,
    LayoutsAnswer,
    Revision,
    SamplesAnswer,
)
from service.contract.samples import DeletedAnswer
from service.contract.words import Label, MmPerPx, Name
from service.errors import InvalidField
from service.layouts import edit
from service.teaching import cut

router = APIRouter(prefix="/layouts", tags=["layouts"])
RolePath = Annotated[Name, Path()]
RevisionQuery = Annotated[Revision, Query(description="The revision that was read; 0 for a layout that is new")]
_NAMES: TypeAdapter[list[str]] = TypeAdapter(list[Name])


@router.get("")
def get_layouts(backend: Parts) -> LayoutsAnswer:
    """`curl http://127.0.0.1:8000/layouts`"""
    return answered(edit.layouts(backend.kept))


@router.put("/{role_id:path}/master")
def put_master(
    backend: Parts,
    role_id: RolePath,
    revision: RevisionQuery,
    image: UploadFile,
    mm_per_px: Annotated[MmPerPx | None, Query()] = None,
) -> LayoutAnswer:
    """`curl -X PUT -F image=@part.png 'http://127.0.0.1:8000/layouts/disc/master?revision=0'`"""
    name, data = read(image)
    return answered(
        edit.change_master(backend.device, backend.kept, backend.people, role_id, revision, name, data, mm_per_px)
    )


@router.get("/{role_id:path}/master", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_master(backend: Parts, role_id: RolePath) -> Response:
    """`curl -o master.png http://127.0.0.1:8000/layouts/disc/master`"""
    return Response(edit.master(backend.kept, role_id), media_type="image/png")


@router.post("/{role_id:path}/align")
def post_align(backend: Parts, role_id: RolePath, image: UploadFile) -> AlignAnswer:
    """`curl -F image=@part.png http://127.0.0.1:8000/layouts/disc/align`"""
    return answered(cut.try_alignment(backend.kept, role_id, *read(image)))


@router.post("/{role_id:path}/samples")
def post_samples(
    backend: Parts,
    role_id: RolePath,
    images: list[UploadFile],
    label: Annotated[Label, Form()],
    roi_ids: Annotated[str | None, Form(description='JSON, such as ["ring"]; left out: all')] = None,
    part_id: Annotated[Name | None, Form(description="Of the part that all these images show")] = None,
) -> SamplesAnswer:
    """`curl -F images=@part.png -F label=ok http://127.0.0.1:8000/layouts/disc/samples`"""
    return answered(
        cut.cut(
            backend.device,
            backend.kept,
            backend.people,
            role_id,
            label,
            [read(image) for image in images],
            _names(roi_ids),
            part_id,
        )
    )


@router.get("/{role_id:path}")
def get_layout(backend: Parts, role_id: RolePath) -> LayoutAnswer:
    """`curl http://127.0.0.1:8000/layouts/disc`"""
    return answered(LayoutAnswer(**edit.read_layout(backend.kept, role_id).layout.model_dump()))


@router.put("/{role_id:path}")
def put_layout(backend: Parts, role_id: RolePath, asked: LayoutRequest) -> LayoutAnswer:
    """`curl -X PUT -H 'Content-Type: application/json' -d '{"revision":1,"mm_per_px":0.25,"marks":[],"rois":[{"roi_id":
    "ring","shape":{"kind":"annulus","cx":255.5,"cy":255.5,"r":225,"r_inner":155}}]}' http://127.0.0.1:8000/layouts/disc`
    """
    return answered(edit.change(backend.device, backend.kept, backend.people, role_id, asked))


@router.delete("/{role_id:path}")
def delete_layout(backend: Parts, role_id: RolePath, revision: RevisionQuery) -> DeletedAnswer:
    """`curl -X DELETE 'http://127.0.0.1:8000/layouts/disc?revision=2'`"""
    return answered(edit.delete(backend.kept, backend.people, role_id, revision))


def _names(text: str | None) -> list[str] | None:
    if text is None or not text.strip():
        return None
    try:
        return _NAMES.validate_json(text)
    except ValidationError as error:
        raise InvalidField(f'roi_ids: {error.errors()[0]["msg"]}; send a JSON list such as ["ring"].') from None
