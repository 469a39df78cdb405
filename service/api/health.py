"""Health for supervisors and load balancers, without a key; metrics with one."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.request import Parts, answered
from service.contract.health import Health
from service.operations.health import health

router = APIRouter(tags=["health"])
metrics = APIRouter(tags=["metrics"])


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
def get_health(backend: Parts, response: Response) -> Health:
    """`curl http://127.0.0.1:8000/health`"""
    answer = answered(health(backend.device, backend.kept, backend.people, backend.upkeep))
    if answer.status in ("loading", "error"):
        response.status_code = 503
    return answer


@router.get("/health/live")
async def get_live() -> dict[str, str]:
    """`curl http://127.0.0.1:8000/health/live`"""
    return {"status": "live"}


@metrics.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def get_metrics(backend: Parts) -> Response:
    """`curl http://127.0.0.1:8000/metrics`"""
    ready = backend.device.loader.state == "ready"
    text = backend.device.metrics.expose(
        queue_depth=backend.device.worker.depth,
        gpu_mem_mb=backend.device.loader.engine().memory_mb() if ready else 0.0,
        disk_free=backend.kept.disk_free,
        left_out=backend.kept.archive.left_out,
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
