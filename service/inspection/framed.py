"""The record of whole frames as answers: one with its ROIs, and how many were OK, NG or could not be judged."""

from __future__ import annotations

from dataclasses import asdict

from service.backend import Kept
from service.contract.frames import FrameAnswer, FramesOfHour, FramesOfRoi, FramesSummary
from service.contract.inspections import InspectionSummary
from service.store.records.frames import FrameFilter
from service.store.records.inspections import RecordFilter


def frame(kept: Kept, frame_id: str) -> FrameAnswer:
    """Raises NotFound."""
    record = kept.frames.get(frame_id)
    _, rois = kept.records.find(RecordFilter(frame_id=frame_id), limit=record.n_rois)
    shown = [InspectionSummary(**asdict(roi), n_regions=len(roi.regions)) for roi in rois]
    fields = {**asdict(record), "frame_request_id": record.request_id}
    return FrameAnswer(**fields, rois=sorted(shown, key=lambda roi: roi.roi_id))


def summary(kept: Kept, which: FrameFilter) -> FramesSummary:
    hours = kept.frames.by_hour(which)
    by_hour = [
        FramesOfHour(start_utc=f"{start}:00:00+00:00", n=found.n, n_ng=found.n_ng, n_error=found.n_error)
        for start, found in hours.items()
    ]
    by_roi = [FramesOfRoi(roi_id=roi_id, n=n, n_ng=n_ng) for roi_id, n, n_ng in kept.frames.by_roi(which)]
    return FramesSummary(
        n=sum(found.n for found in hours.values()),
        n_ok=sum(found.n_ok for found in hours.values()),
        n_ng=sum(found.n_ng for found in hours.values()),
        n_error=sum(found.n_error for found in hours.values()),
        by_roi=by_roi,
        by_hour=by_hour,
    )
