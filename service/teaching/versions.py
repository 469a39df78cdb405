"""State of an ROI: its model versions, calibration and samples; and which version serves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from service.backend import Device, Kept, People
from service.contract.models import ActivatedAnswer, ManifestAnswer, ModelsAnswer, ModelSummary, StateAnswer
from service.errors import MemoryNotFitted, NotReady, Problem
from service.store.models import VersionSummary
from service.store.samples import LABELS


def state(device: Device, kept: Kept, role_id: str, roi_id: str) -> StateAnswer:
    """Never fails for an ROI that is unknown or damaged: `problem` says what it is. Raises NotReady."""
    versions = kept.models.versions(role_id, roi_id)
    current = next((version for version in versions if version.current), None)
    serving, problem = None, None
    try:
        model = device.models.get(role_id, roi_id)
        serving, problem = model, model.problem
    except MemoryNotFitted:
        pass
    except NotReady:  # not known yet is not "not taught"
        raise
    except Problem as error:
        problem = error.detail
    return StateAnswer(
        role_id=role_id,
        roi_id=roi_id,
        memory_fitted=serving is not None,
        calib_present=serving is not None and serving.calibration is not None,
        model_version=current.version if current else None,
        serving_version=serving.version if serving else None,
        problem=problem,
        mm_per_px=serving.description.mm_per_px if serving else kept.samples.mm_per_px(role_id, roi_id),
        versions=[version.version for version in versions],
        dataset={label: len(kept.samples.filenames(role_id, roi_id, label)) for label in LABELS},
    )


def manifest(device: Device, kept: Kept, role_id: str, roi_id: str) -> ManifestAnswer:
    """The state, and what the current version and its calibration say of themselves."""
    known = state(device, kept, role_id, roi_id)
    version = next((v for v in kept.models.versions(role_id, roi_id) if v.version == known.serving_version), None)
    return ManifestAnswer(
        **known.model_dump(),
        model=_without_pictures(version.description) if version else None,
        calibration=version.calibration if version else None,
    )


def models(kept: Kept, role_id: str | None, roi_id: str | None) -> ModelsAnswer:
    """Versions of one ROI, of a role, or of all."""
    everything = kept.models.versions(role_id, roi_id) if role_id and roi_id else kept.models.everything()
    wanted = [v for v in everything if role_id in (None, v.role_id) and roi_id in (None, v.roi_id)]
    return ModelsAnswer(models=[_summary(version) for version in wanted])


def activate(kept: Kept, people: People, role_id: str, roi_id: str, version: int) -> ActivatedAnswer:
    people.freezing.refuse()
    before = kept.models.current_or_none(role_id, roi_id)
    kept.models.activate(role_id, roi_id, version)
    _note(people, "activate", role_id, roi_id, before, version)
    return _activated(kept, role_id, roi_id, version)


def rollback(kept: Kept, people: People, role_id: str, roi_id: str) -> ActivatedAnswer:
    people.freezing.refuse()
    before = kept.models.current_or_none(role_id, roi_id)
    version = kept.models.rollback(role_id, roi_id)
    _note(people, "rollback", role_id, roi_id, before, version)
    return _activated(kept, role_id, roi_id, version)


def _note(people: People, action: str, role_id: str, roi_id: str, before: int | None, version: int) -> None:
    place: dict[str, object] = {"role_id": role_id, "roi_id": roi_id}
    people.note(action, place, old={"model_version": before}, new={"model_version": version})


def _activated(kept: Kept, role_id: str, roi_id: str, version: int) -> ActivatedAnswer:
    calibrated = kept.models.load(role_id, roi_id, version).calibration is not None
    return ActivatedAnswer(role_id=role_id, roi_id=roi_id, model_version=version, calibrated=calibrated)


def _summary(version: VersionSummary) -> ModelSummary:
    about = version.description or {}
    plain = asdict(version)
    return ModelSummary(
        **{name: plain[name] for name in ("role_id", "roi_id", "current", "activated", "damaged")},
        model_version=version.version,
        calibrated=version.calibration is not None,
        provisional=version.calibration is not None and version.calibration.verdicts_are_provisional,
        old_calibration=version.old_calibration,
        created_utc=about.get("created_utc"),
        backbone=about.get("recipe", {}).get("backbone"),
        coreset_size=round(about["coreset_rate_applied"] * about["n_embeddings"]) if about else None,
        threshold=version.calibration.threshold if version.calibration else None,
    )


def _without_pictures(description: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: value for name, value in (description or {}).items() if name != "pictures"} or None
