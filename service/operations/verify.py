"""Verification: the engine, every model that serves, and every golden part against its expected verdict."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from service.backend import Device, Kept, People
from service.contract.operations import VerifyAnswer, VerifyCheck
from service.errors import MemoryNotFitted, Problem
from service.inspection.examine import examine_sample, refuse_uncalibrated
from service.store.backups.restore import restored, settle
from service.store.samples import Sample
from service.store.state.verification import Verification, keep_verification, last_verification

log = logging.getLogger(__name__)
# After the hour from which a day needs its own pass, before the lack of one counts.
GRACE = timedelta(minutes=10)


def verify(device: Device, kept: Kept, people: People) -> VerifyAnswer:
    """Nothing of it is recorded as an inspection. Passed: a restored state that waits is settled. Raises DiskFull."""
    checks = [*_engine(device), *_models(device, kept), *_golden(device, kept)]
    failed = [check for check in checks if not check.passed]
    golden = [check for check in checks if check.kind == "golden"]
    now, before = datetime.now(UTC).isoformat(), last_verification(kept.settings.data_root)
    passed_utc = now if not failed else before.passed_utc if before else None
    n_failed = sum(not check.passed for check in golden)
    verification = Verification(now, passed_utc, not failed, len(golden), n_failed)
    keep_verification(kept.settings.data_root, verification)
    if not failed and (waiting := restored(kept.settings.data_root)):
        settle(kept.settings.data_root)
        people.note("restore_verified", {"backup": waiting.backup})
    log.info("verified", extra={"passed": not failed, "golden": len(golden), "failed": len(failed)})
    return VerifyAnswer(passed=not failed, n_golden=len(golden), checked_utc=now, checks=checks)


def gate(kept: Kept, now: datetime) -> tuple[str, str] | None:
    """Slug and sentence when the day's check of golden parts is asked for by the settings and not passed."""
    hour = kept.settings.verify_hour
    if hour < 0:
        return None
    last = last_verification(kept.settings.data_root)
    due = due_since(hour, now - GRACE)
    if last is None or datetime.fromisoformat(last.checked_utc) < due:
        return "golden_not_checked", f"Golden parts not checked since {due:%Y-%m-%d %H:%M}: run POST /admin/verify."
    if not last.n_golden:
        return "golden_not_checked", "Golden parts not checked: no sample is marked as golden (PUT /datasets/golden)."
    if not last.passed:
        return "golden_failed", "The check of golden parts failed: POST /admin/verify shows what is wrong."
    return None


def due_since(hour: int, now: datetime) -> datetime:
    """The last moment, of today or yesterday, at which the local clock showed that full hour."""
    local = now.astimezone()
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)


def _engine(device: Device) -> Iterator[VerifyCheck]:
    try:
        lost = device.loader.engine().lost()
    except Problem as problem:
        lost = problem.detail
    yield VerifyCheck(kind="engine", what=device.settings.backbone, passed=lost is None, detail=lost or "ready")


def _models(device: Device, kept: Kept) -> Iterator[VerifyCheck]:
    """Every ROI that was taught has a version that can be loaded, and it is the current one."""
    rois = {(version.role_id, version.roi_id) for version in kept.models.everything()}
    for role_id, roi_id in sorted(rois):
        try:
            model = device.models.get(role_id, roi_id)
            problem, detail = model.problem, f"version {model.version}"
        except MemoryNotFitted:  # candidates only, none was ever activated
            continue
        except Problem as error:
            problem, detail = error.detail, ""
        yield VerifyCheck(kind="model", what=f"{role_id}/{roi_id}", passed=not problem, detail=problem or detail)


def _golden(device: Device, kept: Kept) -> Iterator[VerifyCheck]:
    try:
        for sample in kept.samples.golden():
            yield _one(device, kept, sample)
    except Problem as problem:  # a sample that cannot be read may be a golden one
        yield VerifyCheck(kind="golden", what="samples", passed=False, detail=problem.detail)


def _one(device: Device, kept: Kept, sample: Sample) -> VerifyCheck:
    what = f"{sample.role_id}/{sample.roi_id}/{sample.label}/{sample.filename}"
    check = VerifyCheck(kind="golden", what=what, passed=False, detail="", expected=sample.golden)
    try:
        return _judged(device, kept, sample, check)
    except Problem as problem:
        return check.model_copy(update={"detail": problem.detail})


def _judged(device: Device, kept: Kept, sample: Sample, check: VerifyCheck) -> VerifyCheck:
    model = device.models.get(sample.role_id, sample.roi_id)
    refuse_uncalibrated(model, sample.role_id, sample.roi_id)
    examined = examine_sample(device, kept, model, sample)
    assert examined.judged is not None  # refused above
    return check.model_copy(
        update={
            "passed": examined.judged.verdict == sample.golden,
            "verdict": examined.judged.verdict,
            "score": examined.score,
            "threshold": examined.threshold,
            "model_version": model.version,
            "detail": f"score {examined.score:.3f}, threshold {examined.threshold:.3f}",
        }
    )
