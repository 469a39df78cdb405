"""One scale for everything an ROI was taught with."""

from __future__ import annotations

import logging

from service.errors import MemoryNotFitted, Problem
from service.loaded.models import ModelCache
from service.store.samples import Samples, refuse_other_scale

log = logging.getLogger(__name__)
TAUGHT_WITH = "the model of this ROI was taught with"


def refuse_scale_of_others(samples: Samples, models: ModelCache, role_id: str, roi_id: str, mm_per_px: float) -> None:
    """Raises ScaleMismatch when the ROI's samples or model have another scale."""
    known = samples.mm_per_px(role_id, roi_id)
    if known is not None:
        refuse_other_scale(known, mm_per_px, "the samples of this ROI have")
    try:
        taught = models.get(role_id, roi_id).description.mm_per_px
    except MemoryNotFitted:
        return
    except Problem as problem:  # a broken model must not stop anybody from teaching a new one
        log.warning("scale of the current model unknown", extra={"detail": problem.detail})
        return
    refuse_other_scale(taught, mm_per_px, TAUGHT_WITH)
