"""Long work: how far, cancel, follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from service.api.request import Parts, answered
from service.backend import Backend
from service.contract.jobs import Job, JobAnswer

router = APIRouter(prefix="/jobs", tags=["jobs"])
LOOK_EVERY_S = 0.2


@router.get("/{job_id}")
def get_job(backend: Parts, job_id: str) -> JobAnswer:
    """`curl http://127.0.0.1:8000/jobs/ID`"""
    return answered(JobAnswer.of(backend.upkeep.jobs.get(job_id)))


@router.delete("/{job_id}")
def delete_job(backend: Parts, job_id: str) -> JobAnswer:
    """`curl -X DELETE http://127.0.0.1:8000/jobs/ID`: ask it to end"""
    return answered(JobAnswer.of(backend.upkeep.jobs.cancel(job_id)))


@router.get(
    "/{job_id}/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
async def get_events(backend: Parts, job_id: str) -> StreamingResponse:
    """`curl -N http://127.0.0.1:8000/jobs/ID/events`: one server-sent event per change, until it ends"""
    first = await to_thread.run_sync(backend.upkeep.jobs.get, job_id)
    return StreamingResponse(
        _events(backend, first), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
    )


async def _events(backend: Backend, job: Job) -> AsyncIterator[str]:
    """Waits without holding a thread: many may follow without delaying an inspection."""
    yield _event(job)
    while job.state == "running" and not backend.upkeep.jobs.closing:
        await asyncio.sleep(LOOK_EVERY_S)
        last, job = job, await to_thread.run_sync(backend.upkeep.jobs.get, job.job_id)
        if job != last:
            yield _event(job)


def _event(job: Job) -> str:
    return f"event: {job.state}\ndata: {JobAnswer.of(job).model_dump_json()}\n\n"
