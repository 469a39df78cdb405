"""State and manifest of an ROI: what a GUI shows before it inspects."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.fields import RoiQuery, RoleQuery
from service.api.request import Parts, answered
from service.contract.models import ManifestAnswer, StateAnswer
from service.teaching import versions

router = APIRouter(tags=["models"])


@router.get("/manifest")
def get_manifest(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery) -> ManifestAnswer:
    """`curl 'http://127.0.0.1:8000/manifest?role_id=disc&roi_id=ring'`"""
    return answered(versions.manifest(backend.device, backend.kept, role_id, roi_id))


@router.get("/state")
def get_state(backend: Parts, role_id: RoleQuery, roi_id: RoiQuery) -> StateAnswer:
    """`curl 'http://127.0.0.1:8000/state?role_id=disc&roi_id=ring'`"""
    return answered(versions.state(backend.device, backend.kept, role_id, roi_id))
