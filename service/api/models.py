"""Versions of an ROI's model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from service.api.fields import RoiQuery, RoleQuery
from service.api.request import Parts, answered
from service.contract.models import (
    AcceptAnswer,
    AcceptRequest,
    ActivatedAnswer,
    ActivateRequest,
    ModelsAnswer,
    ModelScoresAnswer,
    QuestionableAnswer,
    RollbackRequest,
)
from service.contract.words import Name, Version
from service.insight import suspects
from service.teaching import calibrate, scores, versions

router = APIRouter(prefix="/models", tags=["models"])
VersionQuery = Annotated[Version | None, Query(description="Left out: the one that serves")]


@router.get("")
def get_models(
    backend: Parts, role_id: Annotated[Name | None, Query()] = None, roi_id: Annotated[Name | None, Query()] = None
) -> ModelsAnswer:
    """`curl 'http://127.0.0.1:8000/models?role_id=disc&roi_id=ring'`"""
    return answered(versions.models(backend.kept, role_id, roi_id))


@router.get("/scores")
def get_scores(
    backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, model_version: VersionQuery = None
) -> ModelScoresAnswer:
    """`curl 'http://127.0.0.1:8000/models/scores?role_id=disc&roi_id=ring'`"""
    return answered(scores.model_scores(backend.device, backend.kept, role_id, roi_id, model_version))


@router.get("/questionable")
def get_questionable(
    backend: Parts, role_id: RoleQuery, roi_id: RoiQuery, model_version: VersionQuery = None
) -> QuestionableAnswer:
    """`curl 'http://127.0.0.1:8000/models/questionable?role_id=disc&roi_id=ring'`"""
    return answered(suspects.questionable(backend.device, backend.kept, role_id, roi_id, model_version))


@router.post("/activate")
def post_activate(backend: Parts, asked: ActivateRequest) -> ActivatedAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","model_version":1}'
    http://127.0.0.1:8000/models/activate`"""
    return answered(versions.activate(backend.kept, backend.people, asked.role_id, asked.roi_id, asked.model_version))


@router.post("/accept")
def post_accept(backend: Parts, asked: AcceptRequest) -> AcceptAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","why":"first shift, every part is
    also measured by hand"}' http://127.0.0.1:8000/models/accept`: a provisional threshold, by name"""
    return answered(calibrate.accept(backend.device, backend.kept, backend.people, asked))


@router.post("/rollback")
def post_rollback(backend: Parts, asked: RollbackRequest) -> ActivatedAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring"}'
    http://127.0.0.1:8000/models/rollback`"""
    return answered(versions.rollback(backend.kept, backend.people, asked.role_id, asked.roi_id))
