"""The record: find, page, export, show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from service.api.fields import Side, picture, small_picture, utc
from service.api.request import Parts, answered
from service.backend import Backend
from service.contract.inspections import InspectionAnswer, InspectionsAnswer, InspectionsSummary, InspectionSummary
from service.contract.words import Name, Score, Verdict
from service.inspection import history
from service.inspection.pictures import picture_of, small
from service.store.records.inspections import Order, Record, RecordFilter

router = APIRouter(prefix="/inspections", tags=["record"])
CSV_COLUMNS = (
    "inspection_id", "time_utc", "role_id", "roi_id", "part_id", "verdict", "score", "threshold", "model_version",
    "mm_per_px", "n_regions", "image_name", "image_sha256", "request_id", "key_name", "station",
    "frame_id", "provisional",
)  # fmt: skip


async def _filter(
    role_id: Annotated[Name | None, Query()] = None,
    roi_id: Annotated[Name | None, Query()] = None,
    part_id: Annotated[Name | None, Query()] = None,
    verdict: Annotated[Verdict | None, Query()] = None,
    since: Annotated[datetime | None, Query(description="ISO 8601; UTC when it names no zone")] = None,
    before: Annotated[datetime | None, Query()] = None,
    min_score: Annotated[Score | None, Query()] = None,
    max_score: Annotated[Score | None, Query()] = None,
) -> RecordFilter:
    return RecordFilter(
        role_id, roi_id, part_id, verdict, utc(since), utc(before), min_score=min_score, max_score=max_score
    )


Filter = Annotated[RecordFilter, Depends(_filter)]


@router.get("", response_model=InspectionsAnswer, responses={200: {"content": {"text/csv": {}}}})
def get_inspections(
    backend: Parts,
    which: Filter,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    order: Annotated[Order, Query(description="score: the highest first; CSV is always oldest first")] = "newest",
    format: Annotated[Literal["json", "csv"], Query()] = "json",
) -> InspectionsAnswer | StreamingResponse:
    """`curl 'http://127.0.0.1:8000/inspections?role_id=disc&verdict=NG&format=csv'`"""
    if format == "csv":
        headers = {"Content-Disposition": 'attachment; filename="inspections.csv"'}
        return StreamingResponse(_csv(backend.kept.records.stream(which)), media_type="text/csv", headers=headers)
    total, records = backend.kept.records.find(which, limit, offset, order)
    found = [InspectionSummary(**history.shown_record(record)) for record in records]
    return answered(InspectionsAnswer(total=total, limit=limit, offset=offset, inspections=found))


@router.get("/summary")
def get_summary(
    backend: Parts, which: Filter, buckets: Annotated[int, Query(ge=1, le=1000)] = 24
) -> InspectionsSummary:
    """`curl 'http://127.0.0.1:8000/inspections/summary?role_id=disc&since=2026-11-25T06:00:00Z'`"""
    return answered(history.summary(backend.device, backend.kept, which, buckets))


@router.get("/{inspection_id}")
def get_inspection(backend: Parts, inspection_id: str) -> InspectionAnswer:
    """`curl http://127.0.0.1:8000/inspections/ID`"""
    record = backend.kept.records.get(inspection_id)
    return answered(InspectionAnswer(**{**history.shown_record(record), "inspection_request_id": record.request_id}))


@router.get("/{inspection_id}/image", response_class=Response, responses={200: {"content": {"image/*": {}}}})
def get_image(backend: Parts, inspection_id: str) -> Response:
    """`curl -o part.png http://127.0.0.1:8000/inspections/ID/image`: as received; an ROI is cut from its frame"""
    return picture(_picture(backend, inspection_id))


@router.get("/{inspection_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(backend: Parts, inspection_id: str, side: Side = 160) -> Response:
    """`curl -o small.jpg 'http://127.0.0.1:8000/inspections/ID/thumbnail?side=160'`"""
    return small_picture(small(backend.kept, _picture(backend, inspection_id), side, inspection_id))


@router.get("/{inspection_id}/heatmap", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_heatmap(backend: Parts, inspection_id: str) -> Response:
    """`curl -o heatmap.png http://127.0.0.1:8000/inspections/ID/heatmap`"""
    return Response(backend.kept.archive.heatmap(inspection_id), media_type="image/png")


def _picture(backend: Backend, inspection_id: str) -> bytes:
    return picture_of(backend.kept, backend.kept.records.get(inspection_id))


def _csv(records: Iterator[Record]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(CSV_COLUMNS)
    for record in records:
        shown = history.shown_record(record)
        writer.writerow([_cell(shown[name]) for name in CSV_COLUMNS])
        if line.tell() > 64_000:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _cell(value: object) -> object:
    """A part id that a spreadsheet would run as a formula is kept as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
