"""Explanations of verdicts, and re-runs with another version."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.fields import utc
from service.api.request import Parts, answered
from service.contract.insight import ExplainAnswer, ExplainRequest, RerunRequest
from service.insight import explain, rerun
from service.store.records.inspections import RecordFilter

router = APIRouter(tags=["insight"])


@router.post("/explain")
def post_explain(backend: Parts, asked: ExplainRequest) -> ExplainAnswer:
    """`curl -H 'Content-Type: application/json' -d '{"inspection_id":"ID","region":0}' http://127.0.0.1:8000/explain`"""
    return answered(explain.explain(backend.device, backend.kept, asked))


@router.post(
    "/rerun",
    response_class=Response,
    status_code=202,
    responses={202: {"description": "Started; Location names the job"}},
)
def post_rerun(backend: Parts, asked: RerunRequest) -> Response:
    """`curl -i -H 'Content-Type: application/json' -d '{"role_id":"disc","roi_id":"ring","model_version":1}'
    http://127.0.0.1:8000/rerun`"""
    which = RecordFilter(asked.role_id, asked.roi_id, None, asked.verdict, utc(asked.since), utc(asked.before))
    job_id = rerun.start(backend.device, backend.kept, backend.upkeep, asked, which)
    return Response(status_code=202, headers={"Location": f"/jobs/{job_id}"})
