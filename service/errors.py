"""The errors a caller can meet: one class, one status, one stable code.

`detail` is a sentence a person can act on. The API turns a `Problem` into `application/problem+json` (RFC 9457);
nothing below the API knows about HTTP beyond the number.
"""

from __future__ import annotations

from typing import Literal, get_args


class Problem(Exception):
    """Base of every error we expect. Subclasses give `status`, `code` and `title`."""

    status = 500
    code = "internal_error"
    title = "Internal error"

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class MemoryNotFitted(Problem):
    status, code, title = 400, "memory_not_fitted", "Memory not fitted"


class LayoutEmpty(Problem):
    """A layout without ROIs: there is nothing that could be judged."""

    status, code, title = 400, "layout_empty", "Layout empty"


class KeyRequired(Problem):
    status, code, title = 401, "api_key_required", "API key required"


class NotFound(Problem):
    status, code, title = 404, "not_found", "Not found"


class ScaleMismatch(Problem):
    status, code, title = 409, "mm_per_px_mismatch", "Scale differs"


class Conflict(Problem):
    status, code, title = 409, "conflict", "Conflict"


class LayoutChanged(Problem):
    """Somebody else stored the layout after it was read."""

    status, code, title = 409, "layout_changed", "Layout changed"


class TooLarge(Problem):
    status, code, title = 413, "too_large", "Too large"


class ImageTypeNotRead(Problem):
    status, code, title = 415, "image_type_not_read", "Image type not read"


class HostRefused(Problem):
    status, code, title = 421, "host_refused", "Host refused"


class InvalidField(Problem):
    status, code, title = 422, "invalid_field", "Invalid field"


class UndecodableImage(Problem):
    status, code, title = 422, "undecodable_image", "Undecodable image"


class InvalidShape(Problem):
    status, code, title = 422, "invalid_shape", "Invalid shape"


class InvalidLayout(Problem):
    status, code, title = 422, "invalid_layout", "Invalid layout"


class NotAligned(Problem):
    """The part was not found where the layout expects it: not inspected, never OK."""

    status, code, title = 422, "not_aligned", "Not aligned"


class RoiOutsideFrame(Problem):
    """An ROI lies partly outside of the picture: what cannot be seen is not OK."""

    status, code, title = 422, "roi_outside_frame", "ROI outside of the picture"


class NotCalibrated(Problem):
    status, code, title = 428, "not_calibrated", "Not calibrated"


class ModelDamaged(Problem):
    """The current model cannot be trusted: damaged file, or a pointer that leads nowhere."""

    status, code, title = 500, "model_damaged", "Model damaged"


class SampleDamaged(Problem):
    """A stored sample cannot be read."""

    status, code, title = 500, "sample_damaged", "Sample damaged"


class LayoutDamaged(Problem):
    """A stored layout or its master picture cannot be trusted."""

    status, code, title = 500, "layout_damaged", "Layout damaged"


class ForeignBackbone(Problem):
    """The model was made with a backbone or weights that are not here."""

    status, code, title = 500, "foreign_backbone", "Other backbone"


class EngineFailed(Problem):
    """The engine could not compute: the answer is an error, never a verdict."""

    status, code, title = 500, "engine_failed", "Engine failed"


class NotReady(Problem):
    status, code, title = 503, "not_ready", "Not ready"

    def __init__(self, detail: str, *, retry_after_s: int | None = 2) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class QueueFull(NotReady):
    code, title = "queue_full", "Queue full"


class TooLate(NotReady):
    code, title = "too_late", "Too late"


class DeviceLost(NotReady):
    code, title = "device_lost", "Device lost"


class DiskFull(Problem):
    status, code, title = 507, "disk_full", "Disk full"


class Cancelled(Problem):
    """A job ended because somebody asked for it."""

    status, code, title = 409, "cancelled", "Cancelled"


class BackupRefused(Problem):
    """The archive cannot be used; the text says why."""

    status, code, title = 422, "backup_refused", "Backup refused"


class BackupFailed(Problem):
    code, title = "backup_failed", "Backup failed"


class DiskDamaged(Problem):
    code, title = "disk_damaged", "Disk damaged"


class RestoreUnfinished(NotReady):
    code, title = "restore_unfinished", "Restore unfinished"


class DatabaseUnusable(Problem):
    code, title = "database_unusable", "Database unusable"


class TrainingFrozen(Problem):
    status, code, title = 423, "training_frozen", "Training frozen"


class Interrupted(Problem):
    """A job whose process ended before the job did."""

    code, title = "interrupted", "Interrupted"


# What /health says beside these: states for which no request is refused.
HealthCode = Literal[
    "loading", "data_root_closed", "data_root_gone", "disk_low", "restore_not_verified", "golden_not_checked",
    "golden_failed",
]  # fmt: skip


def known_codes() -> frozenset[str]:
    """Every code that an error or /health can have; screens and icon translate them all."""
    classes, found = [Problem], set(get_args(HealthCode))
    while classes:
        one = classes.pop()
        found.add(one.code)
        classes += one.__subclasses__()
    return frozenset(found)
