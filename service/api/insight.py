"""Why it was judged so."""

from __future__ import annotations

from fastapi import APIRouter

from service import explaining
from service.api.access import Parts, answered
from service.contract_insight import ExplainAnswer, ExplainRequest

router = APIRouter(tags=["insight"])


@router.post("/explain")
def post_explain(backend: Parts, asked: ExplainRequest) -> ExplainAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"inspection_id":"ID","region":0}' http://127.0.0.1:8000/explain`"""
    return answered(explaining.explain(backend, asked))
