"""Inspections and frames of the past. Every call raises ServiceError."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gui.periods import Period
from gui.service.client import Client, optional
from gui.service.layouts import layout, layouts, with_models
from service.contract.frames import FrameAnswer, FramesAnswer, FramesSummary
from service.contract.inspections import InspectionAnswer, InspectionsAnswer, InspectionsSummary
from service.contract.layouts import LayoutAnswer
from service.contract.models import ModelsAnswer

BUCKETS = 24  # points of the trend: an hour each for a day


@dataclass(frozen=True)
class Choice:
    """A selection of parts or regions; an empty field selects all. `verdict`: OK, NG or, of parts only, ERROR."""

    period: Period
    role_id: str = ""
    roi_id: str = ""
    verdict: str = ""
    part_id: str = ""

    def query(self, *left_out: str) -> dict[str, str]:
        """Without the names that a call does not take."""
        asked = {
            "since": self.period.since_utc, "before": self.period.until_utc, "role_id": self.role_id,
            "verdict": self.verdict, "part_id": self.part_id, "roi_id": self.roi_id,
        }  # fmt: skip
        return {name: value for name, value in asked.items() if value and name not in left_out}


async def places(client: Client) -> dict[str, list[str]]:
    """Taught ROIs by role; a role that has a layout only is there without ROIs."""
    models, drawn = await asyncio.gather(client.get("/models", ModelsAnswer), layouts(client))
    found = with_models({summary.role_id: [] for summary in drawn}, models)
    return {role_id: sorted(found[role_id]) for role_id in sorted(found)}


async def inspections(client: Client, choice: Choice, limit: int, offset: int = 0) -> InspectionsAnswer:
    return await client.get("/inspections", InspectionsAnswer, **choice.query(), limit=limit, offset=offset)


async def frames(client: Client, choice: Choice, limit: int, offset: int = 0) -> FramesAnswer:
    return await client.get("/frames", FramesAnswer, **choice.query("roi_id"), limit=limit, offset=offset)


async def inspection(client: Client, inspection_id: str) -> InspectionAnswer | None:
    return await optional(client.get(f"/inspections/{inspection_id}", InspectionAnswer))


async def frame(client: Client, frame_id: str) -> FrameAnswer | None:
    return await optional(client.get(f"/frames/{frame_id}", FrameAnswer))


async def layout_of(client: Client, seen: FrameAnswer) -> LayoutAnswer | None:
    """The layout that judged the frame; None when it has changed since, or is gone."""
    found = await layout(client, seen.role_id)
    return found if found and found.revision == seen.layout_revision else None


async def file(client: Client, path: str) -> bytes | None:
    """A picture or heat map; None when it was not kept, or is kept no longer."""
    return await optional(client.read(path))


async def summary(client: Client, choice: Choice, buckets: int = BUCKETS) -> InspectionsSummary:
    asked = choice.query("verdict", "part_id")
    return await client.get("/inspections/summary", InspectionsSummary, **asked, buckets=buckets)


async def frames_summary(client: Client, choice: Choice) -> FramesSummary | None:
    """None for a choice of one ROI, because a whole part belongs to a role."""
    if choice.roi_id:
        return None
    return await client.get("/frames/summary", FramesSummary, **choice.query("roi_id", "verdict", "part_id"))


async def thumbnails(client: Client, ids: Sequence[str], side: int = 160) -> Mapping[str, bytes]:
    """Thumbnails by inspection id, without inspections whose picture is gone."""
    found = {one: await optional(client.read(f"/inspections/{one}/thumbnail", side=side)) for one in ids}
    return {one: data for one, data in found.items() if data}
