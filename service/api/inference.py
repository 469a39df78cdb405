"""Pictures in, verdicts or scores out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile

from service.api.fields import RoiForm, RoleForm, ScaleForm, ShapeForm, read
from service.api.request import Parts, answered
from service.contract.inspections import InferAnswer, ScoresAnswer
from service.contract.words import Name
from service.inspection import infer
from service.inspection.infer import Inspection

router = APIRouter(tags=["inspection"])


@router.post("/infer", response_model=InferAnswer)
def post_infer(
    backend: Parts,
    role_id: RoleForm,
    roi_id: RoiForm,
    mm_per_px: ScaleForm,
    image: Annotated[UploadFile, File()],
    shape: ShapeForm,
    part_id: Annotated[Name | None, Form(description="Serial number or code of the part")] = None,
    heatmap: Annotated[bool, Form()] = True,
    allow_uncalibrated: Annotated[bool, Form()] = False,
) -> Response:
    """`curl -F role_id=disc -F roi_id=ring -F mm_per_px=0.25 -F image=@part.png http://127.0.0.1:8000/infer`"""
    name, data = read(image)
    asked = Inspection(role_id, roi_id, mm_per_px, shape, part_id or None, heatmap, allow_uncalibrated, name)
    answer = answered(infer.inspect(backend.device, backend.kept, asked, data))
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post("/scores", response_model=ScoresAnswer)
def post_scores(
    backend: Parts, role_id: RoleForm, roi_id: RoiForm, mm_per_px: ScaleForm, images: list[UploadFile], shape: ShapeForm
) -> ScoresAnswer:
    """`curl -F role_id=disc -F roi_id=ring -F mm_per_px=0.25 -F images=@part.png http://127.0.0.1:8000/scores`"""
    pictures = [read(image) for image in images]
    return answered(infer.scores(backend.device, backend.kept, role_id, roi_id, mm_per_px, shape, pictures))
