"""The calls that teach an ROI and explain its verdicts, in the contract's values. Every call raises ServiceError."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gui.service.client import Client, ServiceError, picture_file
from gui.service.layouts import layout, layouts, with_models
from gui.service.urls import service_picture
from service.contract.insight import ExplainAnswer
from service.contract.inspections import InspectionsAnswer, InspectionSummary
from service.contract.layouts import SamplesAnswer
from service.contract.models import (
    AcceptAnswer,
    ActivatedAnswer,
    CalibrationAnswer,
    ModelsAnswer,
    ModelScoresAnswer,
    ModelSummary,
    QuestionableAnswer,
    StateAnswer,
)  # fmt: skip
from service.contract.samples import (
    DeletedAnswer,
    GoldenAnswer,
    InferDatasetAnswer,
    MovedAnswer,
    SampleAbout,
    SamplesListAnswer,
    UploadAnswer,
)  # fmt: skip
from service.contract.words import Label, Verdict

LABELS: tuple[Label, ...] = ("ok", "ng")
OTHER: dict[Label, Label] = {"ok": "ng", "ng": "ok"}
# a layout that is damaged hides no samples: they can still be seen and taught
DAMAGED = "layout_damaged"


async def regions(client: Client) -> dict[str, list[str]]:
    """ROIs by role: of the layouts, and ROIs that only have a model."""
    drawn, models = await asyncio.gather(layouts(client), client.get("/models", ModelsAnswer))
    found: dict[str, list[str]] = {}
    for summary in drawn:
        stored = await layout(client, summary.role_id, DAMAGED)
        found[summary.role_id] = [roi.roi_id for roi in stored.rois] if stored else []
    return with_models(found, models)


@dataclass(frozen=True)
class TaughtRoi:
    """One ROI of a role: its samples, its model's versions, its inspections."""

    client: Client
    role_id: str
    roi_id: str

    @property
    def place(self) -> dict[str, Any]:
        return {"role_id": self.role_id, "roi_id": self.roi_id}

    async def state(self) -> StateAnswer:
        return await self.client.get("/state", StateAnswer, **self.place)

    async def samples(self, label: Label) -> list[SampleAbout]:
        """Newest first."""
        return (await self.client.get("/datasets/samples", SamplesListAnswer, **self.place, label=label)).samples[::-1]

    def sample_url(self, label: Label, filename: str, *, side: int | None = 160) -> str:
        """For the browser: the picture of a sample, `side` pixels long, or (None) the file itself."""
        kind = "thumbnail" if side else "file"
        return service_picture(f"datasets/{kind}", **self.place, label=label, filename=filename, side=side)

    async def keep_frame(
        self, label: Label, name: str, data: bytes, roi_ids: Sequence[str] | None, part_id: str = ""
    ) -> SamplesAnswer:
        """Cut a whole frame into samples of the ROIs (None: all of the layout). `part_id`: of the part, when known."""
        chosen = None if roi_ids is None else json.dumps(list(roi_ids))
        fields = {"label": label, "roi_ids": chosen, "part_id": part_id or None}
        path = f"/layouts/{quote(self.role_id, safe='')}/samples"
        return await self.client.upload(path, SamplesAnswer, fields, picture_file("images", name, data))

    async def keep_picture(
        self, label: Label, name: str, data: bytes, mm_per_px: float, part_id: str = ""
    ) -> UploadAnswer:
        """A picture of the ROI itself, for an ROI that is in no layout. `part_id`: of the part, when known."""
        metas = json.dumps({"part_id": part_id}) if part_id else None
        fields = {**self.place, "mm_per_px": mm_per_px, "metas": metas}
        files = picture_file("images", name, data)
        return await self.client.upload(f"/datasets/{label}/upload", UploadAnswer, fields, files)

    async def keep_inspection(self, label: Label, inspection_id: str) -> UploadAnswer:
        body = {**self.place, "inspection_ids": [inspection_id]}
        return await self.client.send("POST", f"/datasets/{label}/from_inspections", UploadAnswer, body)

    async def move(self, label: Label, filename: str) -> str:
        """From its label to the other one; the sample's new file name."""
        body = {**self.place, "filename": filename, "label": label, "to": OTHER[label]}
        return (await self.client.send("POST", "/datasets/move", MovedAnswer, body)).filename

    async def delete(self, label: Label, filename: str) -> DeletedAnswer:
        return await self.client.send(
            "DELETE", "/datasets/file", DeletedAnswer, None, **self.place, label=label, filename=filename
        )

    async def mark_golden(self, label: Label, filename: str, expected: Verdict | None) -> GoldenAnswer:
        """`expected`: the verdict that the sample must get for ever; None takes the mark away."""
        body = {**self.place, "label": label, "filename": filename, "expected": expected}
        return await self.client.send("PUT", "/datasets/golden", GoldenAnswer, body)

    async def versions(self) -> list[ModelSummary]:
        """Newest first."""
        found = (await self.client.get("/models", ModelsAnswer, **self.place)).models
        return sorted(found, key=lambda model: -model.model_version)

    async def scores(self, version: int | None) -> ModelScoresAnswer:
        return await self.client.get("/models/scores", ModelScoresAnswer, **self.place, model_version=version)

    async def try_threshold(
        self, found: ModelScoresAnswer, mm_per_px: float, threshold: float | None
    ) -> CalibrationAnswer:
        """The rates that a threshold would have (None: the service's own choice); nothing is kept."""
        ok, ng = [sample.score for sample in found.ok], [sample.score for sample in found.ng]
        parts = {"ok_parts": [sample.part for sample in found.ok], "ng_parts": [sample.part for sample in found.ng]}
        return await self._calibrate(found, mm_per_px, threshold, preview=True, ok_scores=ok, ng_scores=ng, **parts)

    async def adopt_threshold(self, found: ModelScoresAnswer, mm_per_px: float, threshold: float) -> CalibrationAnswer:
        """Record a threshold. The service measures the scores itself: the record must not depend on a screen."""
        return await self._calibrate(found, mm_per_px, threshold)

    async def accept(self, version: int, why: str) -> AcceptAnswer:
        """Answer by name for a provisional threshold; the reason is recorded."""
        body = {**self.place, "model_version": version, "why": why}
        return await self.client.send("POST", "/models/accept", AcceptAnswer, body)

    async def activate(self, version: int) -> ActivatedAnswer:
        body = {**self.place, "model_version": version}
        return await self.client.send("POST", "/models/activate", ActivatedAnswer, body)

    async def roll_back(self) -> ActivatedAnswer:
        return await self.client.send("POST", "/models/rollback", ActivatedAnswer, self.place)

    async def judge_samples(self, version: int) -> InferDatasetAnswer:
        """Score and verdict of every stored sample; nothing is recorded."""
        body = {**self.place, "model_version": version}
        return await self.client.send("POST", "/infer_dataset", InferDatasetAnswer, body)

    async def last_inspections(self, limit: int) -> list[InspectionSummary]:
        return (await self.client.get("/inspections", InspectionsAnswer, **self.place, limit=limit)).inspections

    async def questionable(self) -> QuestionableAnswer:
        return await self.client.get("/models/questionable", QuestionableAnswer, **self.place)

    async def start_rerun(self, version: int, limit: int, **asked: str) -> str:
        """Path of the job that judges stored inspections again; nothing is recorded."""
        return await self.client.start_job("/rerun", {**self.place, **asked, "model_version": version, "limit": limit})

    async def _calibrate(
        self, found: ModelScoresAnswer, mm_per_px: float, threshold: float | None, **more: Any
    ) -> CalibrationAnswer:
        body = {
            **self.place, "model_version": found.model_version, "mm_per_px": mm_per_px, "threshold": threshold,
            "area_mm2_thr": found.area_mm2_thr, **more,
        }  # fmt: skip
        answer = await self.client.send("POST", "/calibrate_ng", CalibrationAnswer, body)
        # an older service ignores the field and answers with its own threshold, which nobody must take for this one
        if threshold is not None and not math.isclose(answer.threshold, threshold, rel_tol=1e-6):
            raise ServiceError("other_version", f"The service took threshold {answer.threshold:g}, not {threshold:g}.")
        return answer


def usable(versions: Sequence[ModelSummary]) -> list[ModelSummary]:
    """Versions that could judge: calibrated and not damaged."""
    return [version for version in versions if version.calibrated and not version.damaged]


async def explain(client: Client, inspection_id: str, region: int, k: int = 5) -> ExplainAnswer:
    body = {"inspection_id": inspection_id, "region": region, "k": k}
    return await client.send("POST", "/explain", ExplainAnswer, body)
