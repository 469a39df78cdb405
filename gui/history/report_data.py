"""The content of a shift report, asked of the service at once, so that drawing needs no calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gui.service import history as calls
from gui.service.client import Client
from gui.service.history import Choice
from gui.service.link import LinkState
from service.contract.frames import FramesSummary
from service.contract.inspections import InspectionSummary, RoiSummary, TrendPoint
from service.contract.models import ManifestAnswer, ModelsAnswer

MOST_NG = 60  # a report that can still be printed: the CSV has them all


@dataclass(frozen=True)
class RoiReport:
    """`calibration`: as in /manifest; None for an ROI that is not calibrated now. `old_calibration`: as in /models."""

    summary: RoiSummary
    model_version: int | None = None
    calibration: Mapping[str, Any] | None = None
    old_calibration: bool = False


@dataclass(frozen=True)
class ReportData:
    """`thumbnails`: PNG or JPEG by inspection id. `worst`: the newest NG inspections, at most MOST_NG."""

    choice: Choice
    station: str
    version: str
    device: str
    rois: Sequence[RoiReport]
    trend: Sequence[TrendPoint]
    worst: Sequence[InspectionSummary]
    frames: FramesSummary | None = None
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)


async def gather(client: Client, choice: Choice, station: str, link: LinkState) -> ReportData:
    """Raises ServiceError."""
    summary, frames = await asyncio.gather(calls.summary(client, choice), calls.frames_summary(client, choice))
    rois = [await _roi(client, roi) for roi in summary.rois]
    worst = (await calls.inspections(client, replace(choice, verdict="NG"), MOST_NG)).inspections
    thumbnails = await calls.thumbnails(client, [one.inspection_id for one in worst])
    health = link.health
    version, device = (health.version, health.device_name or health.device) if health else ("", "")
    return ReportData(choice, station, version, device, rois, summary.trend, worst, frames, thumbnails)


async def _roi(client: Client, summary: RoiSummary) -> RoiReport:
    place = {"role_id": summary.role_id, "roi_id": summary.roi_id}
    known = await client.get("/manifest", ManifestAnswer, **place)
    versions = (await client.get("/models", ModelsAnswer, **place)).models
    calibration = known.calibration.model_dump() if known.calibration else None
    old = any(version.current and version.old_calibration for version in versions)
    return RoiReport(summary, known.serving_version, calibration, old)
