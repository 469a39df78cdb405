"""Summaries of a period: counts and scores by ROI, drift since the calibration, trend; and records of frames."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from service.backend import Device, Kept
from service.contract.frames import FrameAnswer, FramesAnswer, FramesSummary, FrameSummary
from service.contract.inspections import Drift, InspectionsSummary, InspectionSummary, RoiCounts, RoiSummary, TrendPoint
from service.contract.models import Calibration
from service.errors import MemoryNotFitted, Problem
from service.store.records.frames import FrameFilter
from service.store.records.inspections import Record, RecordFilter

# Fewer good parts than this say nothing of a drift: their mean may be a matter of chance.
MIN_PARTS = 20
# Of a normal distribution, the 99th percentile lies this many standard deviations above the mean.
_SIGMAS_TO_P99 = 2.326


def summary(device: Device, kept: Kept, which: RecordFilter, buckets: int) -> InspectionsSummary:
    rois = [_roi(device, kept, which, counts) for counts in kept.summaries.by_roi(which)]
    return InspectionsSummary(rois=rois, trend=_trend(kept, which, buckets))


def drift(ok_mean: float, calibration: Calibration) -> Drift:
    """A warning when the mean good part differs from the calibration's mean by more than one of its standard
    deviations: it then scores as only one good part in six did. Upwards, false rejects come; downwards, the pictures
    show less than they did (blur, light), and defects may be missed.
    """
    expected = calibration.ok_mean
    spread = (calibration.p99_ok - expected) / _SIGMAS_TO_P99
    ratio = ok_mean / expected if expected > 0 else float(ok_mean > 0)
    return Drift(ratio=ratio, warning=abs(ok_mean - expected) > spread)


def _roi(device: Device, kept: Kept, which: RecordFilter, counts: RoiCounts) -> RoiSummary:
    calibration, found = None, None
    try:
        model = device.models.get(counts.role_id, counts.roi_id)
    except (MemoryNotFitted, Problem):  # taken away, damaged or loading: what was counted stands all the same
        model = None
    if model is not None and (calibration := model.calibration):
        here = replace(which, role_id=counts.role_id, roi_id=counts.roi_id)
        n, mean = kept.summaries.ok_mean(here, model.version)
        found = drift(mean, calibration) if mean is not None and n >= MIN_PARTS else None
    return RoiSummary(
        **counts.model_dump(), calibrated_ok_mean=calibration.ok_mean if calibration else None, drift=found
    )


def _trend(kept: Kept, which: RecordFilter, buckets: int) -> list[TrendPoint]:
    since = which.since or kept.summaries.first(which)
    if since is None:
        return []
    before = which.before or datetime.now(UTC).isoformat()
    begin, end = datetime.fromisoformat(since), datetime.fromisoformat(before)
    if begin >= end:
        return []
    return kept.summaries.trend(which, begin, end, buckets)


def shown_record(record: Record) -> dict[str, Any]:
    """As an answer or the CSV tells it."""
    provisional = bool(record.params.get("provisional"))
    return {**asdict(record), "n_regions": len(record.regions), "provisional": provisional}


def frames(kept: Kept, which: FrameFilter, limit: int, offset: int) -> FramesAnswer:
    total, found = kept.frames.find(which, limit, offset)
    provisional = kept.frames.provisional([record.frame_id for record in found])
    shown = [FrameSummary(**asdict(record), provisional=record.frame_id in provisional) for record in found]
    return FramesAnswer(total=total, limit=limit, offset=offset, frames=shown)


def frame(kept: Kept, frame_id: str) -> FrameAnswer:
    """Raises NotFound."""
    record = kept.frames.get(frame_id)
    _, rois = kept.records.find(RecordFilter(frame_id=frame_id), limit=record.n_rois)
    shown = [InspectionSummary(**shown_record(roi)) for roi in rois]
    provisional = any(roi.provisional for roi in shown)
    fields = {**asdict(record), "frame_request_id": record.request_id, "provisional": provisional}
    return FrameAnswer(**fields, rois=sorted(shown, key=lambda roi: roi.roi_id))


def frames_summary(kept: Kept, which: FrameFilter) -> FramesSummary:
    hours = kept.frames.by_hour(which)
    n, n_ng, n_error = (sum(getattr(hour, name) for hour in hours) for name in ("n", "n_ng", "n_error"))
    by_roi = kept.frames.by_roi(which)
    return FramesSummary(n=n, n_ok=n - n_ng - n_error, n_ng=n_ng, n_error=n_error, by_roi=by_roi, by_hour=hours)
