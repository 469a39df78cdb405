"""Does it still judge as it should: health, every model that serves, every golden part against its expected verdict."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from service.backend import Backend
from service.contract.operations import VerifyAnswer, VerifyCheck
from service.contract.shapes import parse_shape
from service.errors import MemoryNotFitted, NotCalibrated, Problem
from service.inspection.infer import look
from service.stopwatch import Stopwatch
from service.store.backups.restore import restored, settle
from service.store.samples import Sample
from service.store.state.verification import Verification, keep_verification, last_verification
from service.vision.verdict import judge

log = logging.getLogger(__name__)
# After the hour from which a day needs its own pass, before the lack of one counts.
GRACE = timedelta(minutes=10)


def verify(backend: Backend) -> VerifyAnswer:
    """Nothing of it is recorded as an inspection. Passed: a restored state that waits is settled. Raises DiskFull."""
    checks = [*_engine(backend), *_models(backend), *_golden(backend)]
    failed = [check for check in checks if not check.passed]
    golden = [check for check in checks if check.kind == "golden"]
    now, before = datetime.now(UTC).isoformat(), last_verification(backend.settings.data_root)
    passed_utc = now if not failed else before.passed_utc if before else None
    n_failed = sum(not check.passed for check in golden)
    verification = Verification(now, passed_utc, not failed, len(golden), n_failed)
    keep_verification(backend.settings.data_root, verification)
    if not failed and (waiting := restored(backend.settings.data_root)):
        settle(backend.settings.data_root)
        backend.note("restore_verified", {"backup": waiting.backup})
    log.info("verified", extra={"passed": not failed, "golden": len(golden), "failed": len(failed)})
    return VerifyAnswer(passed=not failed, n_golden=len(golden), checked_utc=now, checks=checks)


def gate(backend: Backend, now: datetime) -> tuple[str, str] | None:
    """Slug and sentence when the day's check of golden parts is asked for by the settings and not passed."""
    hour = backend.settings.verify_hour
    if hour < 0:
        return None
    last = last_verification(backend.settings.data_root)
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


def _engine(backend: Backend) -> Iterator[VerifyCheck]:
    try:
        lost = backend.loader.engine().lost()
    except Problem as problem:
        lost = problem.detail
    yield VerifyCheck(kind="engine", what=backend.settings.backbone, passed=lost is None, detail=lost or "ready")


def _models(backend: Backend) -> Iterator[VerifyCheck]:
    """Every ROI that was taught has a version that can be loaded, and it is the current one."""
    rois = {(version.role_id, version.roi_id) for version in backend.models.everything()}
    for role_id, roi_id in sorted(rois):
        try:
            model = backend.cache.get(role_id, roi_id)
            problem, detail = model.problem, f"version {model.version}"
        except MemoryNotFitted:  # candidates only, none was ever activated
            continue
        except Problem as error:
            problem, detail = error.detail, ""
        yield VerifyCheck(kind="model", what=f"{role_id}/{roi_id}", passed=not problem, detail=problem or detail)


def _golden(backend: Backend) -> Iterator[VerifyCheck]:
    try:
        for sample in backend.datasets.golden():
            yield _one(backend, sample)
    except Problem as problem:  # a sample that cannot be read may be a golden one
        yield VerifyCheck(kind="golden", what="samples", passed=False, detail=problem.detail)


def _one(backend: Backend, sample: Sample) -> VerifyCheck:
    what = f"{sample.role_id}/{sample.roi_id}/{sample.label}/{sample.filename}"
    check = VerifyCheck(kind="golden", what=what, passed=False, detail="", expected=sample.golden)
    try:
        return _judged(backend, sample, check)
    except Problem as problem:
        return check.model_copy(update={"detail": problem.detail})


def _judged(backend: Backend, sample: Sample, check: VerifyCheck) -> VerifyCheck:
    model = backend.cache.get(sample.role_id, sample.roi_id)
    if model.calibration is None:
        raise NotCalibrated(f"Version {model.version} is not calibrated: run POST /calibrate_ng.")
    picture = backend.datasets.picture(sample.role_id, sample.roi_id, sample.label, sample.filename)
    shape = parse_shape(json.dumps(sample.shape) if sample.shape else None)
    layout, measured = look(backend, model, picture, shape, sample.filename, Stopwatch())
    threshold = model.calibration["threshold"]
    verdict = judge(measured, layout, sample.mm_per_px, threshold).verdict
    return check.model_copy(
        update={
            "passed": verdict == sample.golden,
            "verdict": verdict,
            "score": measured.score,
            "threshold": threshold,
            "model_version": model.version,
            "detail": f"score {measured.score:.3f}, threshold {threshold:.3f}",
        }
    )
