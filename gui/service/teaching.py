"""What Teach and Why ask of the service, in the contract's words."""

from __future__ import annotations

import asyncio
import io
import json
import math
from collections.abc import Sequence
from urllib.parse import quote

from PIL import Image

from gui.service.client import Client, ServiceError
from service.contract.insight import ExplainAnswer
from service.contract.inspections import InspectionAnswer, InspectionsAnswer, InspectionSummary
from service.contract.layouts import LayoutAnswer, LayoutsAnswer, SamplesAnswer
from service.contract.models import (
    ActivatedAnswer,
    CalibrationAnswer,
    ModelsAnswer,
    ModelScoresAnswer,
    ModelSummary,
    QuestionableAnswer,
    StateAnswer,
)
from service.contract.samples import (
    DeletedAnswer,
    GoldenAnswer,
    InferDatasetAnswer,
    MovedAnswer,
    SampleAbout,
    SamplesListAnswer,
    UploadAnswer,
)
from service.contract.words import Label, Verdict

LABELS: tuple[Label, ...] = ("ok", "ng")


async def regions(client: Client) -> dict[str, list[str]]:
    """ROIs by role: of the layouts, and those that only have a model. Raises ServiceError."""
    layouts, models = await asyncio.gather(client.get("/layouts", LayoutsAnswer), client.get("/models", ModelsAnswer))
    found: dict[str, list[str]] = {}
    for summary in layouts.layouts:
        drawn = await layout(client, summary.role_id)
        found[summary.role_id] = [roi.roi_id for roi in drawn.rois] if drawn else []
    for model in models.models:
        rois = found.setdefault(model.role_id, [])
        if model.roi_id not in rois:
            rois.append(model.roi_id)
    return found


async def layout(client: Client, role_id: str) -> LayoutAnswer | None:
    """None for a role without one, and for one that is damaged: its samples can still be seen. Raises ServiceError."""
    try:
        return await client.get(f"/layouts/{quote(role_id, safe='')}", LayoutAnswer)
    except ServiceError as error:
        if error.code in ("not_found", "layout_damaged"):
            return None
        raise


async def state(client: Client, role_id: str, roi_id: str) -> StateAnswer:
    return await client.get("/state", StateAnswer, role_id=role_id, roi_id=roi_id)


async def samples(client: Client, role_id: str, roi_id: str, label: Label) -> list[SampleAbout]:
    """Newest first."""
    found = await client.get("/datasets/samples", SamplesListAnswer, role_id=role_id, roi_id=roi_id, label=label)
    return found.samples[::-1]


async def keep_frame(
    client: Client, role_id: str, label: Label, name: str, data: bytes, roi_ids: Sequence[str] | None
) -> SamplesAnswer:
    """Cut a whole frame into samples of those ROIs (None: all of the layout)."""
    fields = {"label": label, "roi_ids": _json_list(roi_ids)}
    path = f"/layouts/{quote(role_id, safe='')}/samples"
    return await client.upload(path, SamplesAnswer, fields, _picture("images", name, data))


async def keep_picture(
    client: Client, role_id: str, roi_id: str, label: Label, name: str, data: bytes, mm_per_px: float
) -> UploadAnswer:
    """A picture of the ROI itself, for ROIs that are in no layout."""
    fields = {"role_id": role_id, "roi_id": roi_id, "mm_per_px": mm_per_px}
    return await client.upload(f"/datasets/{label}/upload", UploadAnswer, fields, _picture("images", name, data))


async def keep_inspection(client: Client, role_id: str, roi_id: str, label: Label, inspection_id: str) -> UploadAnswer:
    body = {"role_id": role_id, "roi_id": roi_id, "inspection_ids": [inspection_id]}
    return await client.send("POST", f"/datasets/{label}/from_inspections", UploadAnswer, body)


async def move(client: Client, role_id: str, roi_id: str, label: Label, filename: str) -> str:
    """From its label to the other one; its new file name."""
    body = {
        "role_id": role_id, "roi_id": roi_id, "filename": filename, "label": label,
        "to": "ng" if label == "ok" else "ok",
    }  # fmt: skip
    return (await client.send("POST", "/datasets/move", MovedAnswer, body)).filename


async def delete(client: Client, role_id: str, roi_id: str, label: Label, filename: str) -> int:
    """How many were deleted."""
    place = {"role_id": role_id, "roi_id": roi_id, "label": label, "filename": filename}
    return (await client.send("DELETE", "/datasets/file", DeletedAnswer, None, **place)).deleted


async def mark_golden(
    client: Client, role_id: str, roi_id: str, label: Label, filename: str, expected: Verdict | None
) -> None:
    body = {"role_id": role_id, "roi_id": roi_id, "label": label, "filename": filename, "expected": expected}
    await client.send("PUT", "/datasets/golden", GoldenAnswer, body)


async def versions(client: Client, role_id: str, roi_id: str) -> list[ModelSummary]:
    """Newest first."""
    found = await client.get("/models", ModelsAnswer, role_id=role_id, roi_id=roi_id)
    return sorted(found.models, key=lambda model: -model.model_version)


async def scores(client: Client, role_id: str, roi_id: str, version: int | None) -> ModelScoresAnswer:
    return await client.get("/models/scores", ModelScoresAnswer, role_id=role_id, roi_id=roi_id, model_version=version)


async def try_threshold(
    client: Client, found: ModelScoresAnswer, mm_per_px: float, threshold: float | None
) -> CalibrationAnswer:
    """What a threshold (None: the service's own) would mean; nothing is kept."""
    body = {
        **_version(found), "mm_per_px": mm_per_px, "threshold": threshold, "preview": True,
        "area_mm2_thr": found.area_mm2_thr,
        "ok_scores": [sample.score for sample in found.ok], "ng_scores": [sample.score for sample in found.ng],
    }  # fmt: skip
    answer = await client.send("POST", "/calibrate_ng", CalibrationAnswer, body)
    return _of_threshold(answer, threshold)


async def adopt_threshold(
    client: Client, found: ModelScoresAnswer, mm_per_px: float, threshold: float
) -> CalibrationAnswer:
    """Recorded. The service measures the scores itself: what is written down does not depend on a screen."""
    body = {
        **_version(found), "mm_per_px": mm_per_px, "threshold": threshold, "area_mm2_thr": found.area_mm2_thr,
    }  # fmt: skip
    answer = await client.send("POST", "/calibrate_ng", CalibrationAnswer, body)
    return _of_threshold(answer, threshold)


async def activate(client: Client, role_id: str, roi_id: str, version: int) -> ActivatedAnswer:
    body = {"role_id": role_id, "roi_id": roi_id, "model_version": version}
    return await client.send("POST", "/models/activate", ActivatedAnswer, body)


async def roll_back(client: Client, role_id: str, roi_id: str) -> ActivatedAnswer:
    return await client.send("POST", "/models/rollback", ActivatedAnswer, {"role_id": role_id, "roi_id": roi_id})


async def judge_samples(client: Client, role_id: str, roi_id: str, version: int) -> InferDatasetAnswer:
    """Score and verdict of every stored sample; nothing is recorded."""
    body = {"role_id": role_id, "roi_id": roi_id, "model_version": version}
    return await client.send("POST", "/infer_dataset", InferDatasetAnswer, body)


async def last_inspections(
    client: Client, role_id: str, roi_id: str, limit: int, verdict: Verdict | None = None
) -> list[InspectionSummary]:
    found = await client.get(
        "/inspections", InspectionsAnswer, role_id=role_id, roi_id=roi_id, limit=limit, verdict=verdict
    )
    return found.inspections


async def inspection(client: Client, inspection_id: str) -> InspectionAnswer:
    return await client.get(f"/inspections/{inspection_id}", InspectionAnswer)


async def picture_size(client: Client, inspection_id: str) -> tuple[int, int] | None:
    """Width and height of what was inspected; None when its picture was not kept, or is kept no longer."""
    try:
        data = await client.read(f"/inspections/{inspection_id}/image")
    except ServiceError as error:
        if error.code == "not_found":
            return None
        raise
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


async def explain(client: Client, inspection_id: str, region: int, k: int = 5) -> ExplainAnswer:
    body = {"inspection_id": inspection_id, "region": region, "k": k}
    return await client.send("POST", "/explain", ExplainAnswer, body)


async def questionable(client: Client, role_id: str, roi_id: str, version: int | None = None) -> QuestionableAnswer:
    return await client.get(
        "/models/questionable", QuestionableAnswer, role_id=role_id, roi_id=roi_id, model_version=version
    )


async def start_rerun(
    client: Client, role_id: str, roi_id: str, version: int, limit: int, verdict: Verdict | None = None
) -> str:
    """Path of the job that judges the last stored inspections anew; nothing is recorded."""
    body = {"role_id": role_id, "roi_id": roi_id, "model_version": version, "limit": limit}
    return await client.start_job("/rerun", body | ({"verdict": verdict} if verdict else {}))


def _version(found: ModelScoresAnswer) -> dict[str, object]:
    return {"role_id": found.role_id, "roi_id": found.roi_id, "model_version": found.model_version}


def _of_threshold(answer: CalibrationAnswer, threshold: float | None) -> CalibrationAnswer:
    """A service that does not know the field would answer with its own threshold: nobody must take it for this one."""
    if threshold is not None and not math.isclose(answer.threshold, threshold, rel_tol=1e-6):
        raise ServiceError("other_version", f"The service took threshold {answer.threshold:g}, not {threshold:g}.")
    return answer


def _json_list(names: Sequence[str] | None) -> str | None:
    return None if names is None else json.dumps(list(names))


def _picture(field: str, name: str, data: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [(field, (name, data, "application/octet-stream"))]
