"""Inspect a part by its layout: a whole frame in; aligned, every ROI cut and judged; one verdict out.

A part is OK only when every ROI of its layout was judged and is OK. Whatever keeps one from being judged is the answer
to the whole frame, and is recorded as such.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from service import caller
from service.backend import Device, Kept
from service.contract.frames import InspectAnswer
from service.contract.layouts import Alignment
from service.errors import LayoutEmpty, NotReady, Problem
from service.inspection.frame_rois import JudgedRoi, cut_rois, draw, judge_rois, roi_answer, roi_record
from service.layouts.edit import align, read_layout
from service.loaded.layouts import LoadedLayout
from service.stopwatch import Stopwatch
from service.store.files import sha256
from service.store.records.frames import FrameRecord
from service.store.records.inspections import new_inspection_id

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameRequest:
    """A request of /inspect, without its picture."""

    role_id: str
    part_id: str | None = None
    heatmap: bool = True
    image_name: str | None = None


def inspect_frame(device: Device, kept: Kept, asked: FrameRequest, image: bytes) -> InspectAnswer:
    """Verdict of one part; it and the verdicts of its ROIs are recorded in one transaction.

    Raises NotFound (no layout), LayoutDamaged, LayoutEmpty, NotAligned, what `cut_rois`, `decode` and the device do.
    """
    inspection = _Inspection(device, kept, asked, image)
    try:
        return inspection.run()
    except NotReady:  # the part is to be sent again, and is recorded then
        raise
    except Problem as problem:
        inspection.note(problem)
        raise


class _Inspection:
    """One frame from its bytes to its answer; its record is filled step by step."""

    def __init__(self, device: Device, kept: Kept, asked: FrameRequest, image: bytes) -> None:
        self._device, self._kept, self._asked, self._image = device, kept, asked, image
        self._watch, self._started = Stopwatch(), time.perf_counter()
        self._handed_in = False
        self._record = _begun(asked, image)

    def run(self) -> InspectAnswer:
        device, kept, asked, watch = self._device, self._kept, self._asked, self._watch
        loaded = _layout_with_rois(kept, asked.role_id)
        self._know(layout_revision=loaded.layout.revision)
        with watch("decode"):
            name = asked.image_name or "image"
            frame_rgb = kept.decode(self._image, name)
        self._know(width=frame_rgb.shape[1], height=frame_rgb.shape[0])
        with watch("align"):
            alignment = align(loaded, frame_rgb)
        self._know(alignment=alignment.model_dump() if alignment else None)
        with watch("cut"):
            rois = cut_rois(device, loaded, frame_rgb, alignment)
        distances = device.distances([roi.prepared.comparison for roi in rois], watch)
        judged = judge_rois(rois, distances, watch)
        return self._answer(loaded, alignment, self._recorded(judged, loaded.mm_per_px))

    def note(self, problem: Problem) -> None:
        """A part that was not judged is in the record, too."""
        if self._handed_in:  # the disk itself is the problem
            return
        self._know(problem_code=problem.code, problem_detail=problem.detail, timings_ms=self._watch.ms)
        try:
            self._kept.records.wait_for(self._kept.records.hand_in_frame(self._record, []))
        except Problem as error:
            log.error("part not recorded", extra={"frame_id": self._record.frame_id, "reason": error.detail})
            return
        if self._record.width:  # what cannot be read is no picture to keep
            self._kept.archive.keep(self._record.frame_id, self._image, None)

    def _recorded(self, judged: Sequence[JudgedRoi], mm_per_px: float) -> list[JudgedRoi]:
        """With heat maps, which are drawn while the records are on their way to the disk."""
        n_ng = sum(one.verdict == "NG" for one in judged)
        self._know(verdict="NG" if n_ng else "OK", n_rois=len(judged), n_ng=n_ng, timings_ms=self._watch.ms)
        records = [roi_record(self._record, one, mm_per_px) for one in judged]
        self._handed_in = True
        written = self._kept.records.hand_in_frame(self._record, records)
        with self._watch("draw"):
            drawn = [replace(one, heatmap=draw(one) if self._asked.heatmap else None) for one in judged]
        with self._watch("record"):
            self._kept.records.wait_for(written)
        return drawn

    def _answer(self, loaded: LoadedLayout, alignment: Alignment | None, judged: list[JudgedRoi]) -> InspectAnswer:
        record, total_ms = self._record, (time.perf_counter() - self._started) * 1e3
        timings_ms = self._watch.ms | {"total": round(total_ms, 3)}
        known = vars(record) | {"alignment": alignment, "timings_ms": timings_ms}
        rois = [roi_answer(one) for one in judged]
        provisional = any(roi.provisional for roi in rois)
        answer = InspectAnswer(**known, provisional=provisional, mm_per_px=loaded.mm_per_px, rois=rois)
        self._keep(judged)
        for roi in answer.rois:
            self._device.metrics.inspected(record.role_id, roi.roi_id, roi.verdict, answer.timings_ms, roi.provisional)
        return answer

    def _keep(self, judged: Sequence[JudgedRoi]) -> None:
        if self._kept.archive.wants(self._record.verdict):
            self._kept.archive.keep(self._record.frame_id, self._image, None)
            for one in judged:
                if one.heatmap is not None:
                    self._kept.archive.keep(one.roi.inspection_id, None, one.heatmap)

    def _know(self, **known: object) -> None:
        self._record = replace(self._record, **known)  # type: ignore[arg-type]


def _begun(asked: FrameRequest, image: bytes) -> FrameRecord:
    now = datetime.now(UTC)
    return FrameRecord(
        frame_id=new_inspection_id(now),
        time_utc=now.isoformat(),
        role_id=asked.role_id,
        part_id=asked.part_id,
        verdict=None,
        request_id=caller.request_id.get(),
        key_name=caller.key_name.get() or None,
        station=caller.station.get() or None,
        image_sha256=sha256(image),
        image_name=asked.image_name,
    )


def _layout_with_rois(kept: Kept, role_id: str) -> LoadedLayout:
    loaded = read_layout(kept, role_id)
    if not loaded.layout.rois:
        raise LayoutEmpty(f"The layout of {role_id} has no ROI: draw one, and teach it, before parts are inspected.")
    return loaded
