"""Fit and calibrate."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Response, UploadFile

from service.api.fields import RoiForm, RoleForm, ScaleForm, ShapeForm, read
from service.api.request import STARTED, Parts, Prefer, answered, of_job
from service.contract.models import CalibrateDatasetRequest, CalibrationAnswer, CalibrationRequest, FitAnswer
from service.contract.samples import DatasetRequest, InferDatasetAnswer
from service.contract.words import PartId
from service.errors import InvalidField
from service.teaching import calibrate, fit
from service.teaching.fit import Lesson

router = APIRouter(tags=["teaching"])


@router.post("/fit_ok", response_model=FitAnswer, responses=STARTED)
def post_fit_ok(
    backend: Parts,
    role_id: RoleForm,
    roi_id: RoiForm,
    mm_per_px: ScaleForm,
    shape: ShapeForm,
    images: Annotated[list[UploadFile] | None, File()] = None,
    part_ids: Annotated[list[PartId] | None, Form(description="Part that each image shows, in their order")] = None,
    use_dataset: Annotated[bool, Form()] = False,
    memory_fit: Annotated[bool, Form()] = False,
    stage: Annotated[bool, Form()] = False,
    prefer: Prefer = "",
) -> FitAnswer | Response:
    """`curl -F role_id=disc -F roi_id=ring -F mm_per_px=0.25 -F images=@good1.png -F images=@good2.png
    http://127.0.0.1:8000/fit_ok`"""
    if bool(images) == use_dataset:
        raise InvalidField("images: send good pictures, or use_dataset=true, one of the two.")
    backend.people.freezing.refuse()  # also when nobody waits for the job
    pictures = [read(image) for image in images] if images else None
    lesson = Lesson(role_id, roi_id, mm_per_px, pictures, shape, part_ids or (), memory_fit, stage)
    started = backend.upkeep.jobs.start(
        "fit", lambda report: fit.teach(backend.device, backend.kept, backend.people, lesson, report).model_dump()
    )
    return of_job(FitAnswer, started, prefer)


@router.post("/calibrate_ng")
def post_calibrate_ng(backend: Parts, asked: CalibrationRequest) -> CalibrationAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","mm_per_px":0.25}'
    http://127.0.0.1:8000/calibrate_ng`"""
    return answered(calibrate.calibrate_version(backend.device, backend.kept, backend.people, asked))


@router.post("/calibrate_dataset")
def post_calibrate_dataset(backend: Parts, asked: CalibrateDatasetRequest) -> CalibrationAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring"}'
    http://127.0.0.1:8000/calibrate_dataset`"""
    scale = (
        asked.mm_per_px
        or backend.device.models.version(asked.role_id, asked.roi_id, asked.model_version).description.mm_per_px
    )
    fields = asked.model_dump(exclude={"mm_per_px"})
    return answered(
        calibrate.calibrate_version(
            backend.device, backend.kept, backend.people, CalibrationRequest(**fields, mm_per_px=scale)
        )
    )


@router.post("/infer_dataset")
def post_infer_dataset(backend: Parts, asked: DatasetRequest) -> InferDatasetAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring"}'
    http://127.0.0.1:8000/infer_dataset`"""
    return answered(
        calibrate.inspect_dataset(backend.device, backend.kept, asked.role_id, asked.roi_id, asked.model_version)
    )
