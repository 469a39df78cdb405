"""Freeze training, check golden parts."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.request import Parts, answered
from service.contract.operations import FreezeAnswer, FreezeRequest, VerifyAnswer
from service.operations import freeze, verify

router = APIRouter(prefix="/admin", tags=["operations"])


@router.post("/freeze")
def post_freeze(backend: Parts, asked: FreezeRequest) -> FreezeAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"why":"audit"}' http://127.0.0.1:8000/admin/freeze`"""
    return answered(freeze.freeze(backend.people, asked.why))


@router.post("/unfreeze")
def post_unfreeze(backend: Parts) -> FreezeAnswer:
    """`curl -X POST http://127.0.0.1:8000/admin/unfreeze`"""
    return answered(freeze.release(backend.people))


@router.post("/verify")
def post_verify(backend: Parts) -> VerifyAnswer:
    """`curl -X POST http://127.0.0.1:8000/admin/verify`"""
    return answered(verify.verify(backend.device, backend.kept, backend.people))
