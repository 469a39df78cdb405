"""Accuracy of a model: AUROC and AU-PRO of the literature, and the error rates an auditor asks for.

Pixels are counted in fine score levels, one picture at a time, so that any number of pictures fits into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from service.calibration.threshold import rate

# Levels of the pixel scores, from 0 to 16 times the threshold: finer than float16, and 2 MB a counter.
LEVELS = 1 << 18
SPAN = 16.0
# Bergmann et al. 2021 (MVTec AD, IJCV): per-region overlap is integrated up to this false-positive rate.
PRO_LIMIT = 0.3


@dataclass
class PixelCounts:
    """Pixels by score level: normal, defective, and defective weighted so that every defect region counts the same."""

    normal: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))
    defective: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))
    overlap: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))

    def add(self, anomaly_map: np.ndarray, truth: np.ndarray, inspected: np.ndarray, threshold: float) -> None:
        """Float32 (h, w) map, bool (h, w) defect pixels and pixels that were inspected."""
        levels = np.clip(anomaly_map * (LEVELS / (SPAN * threshold)), 0, LEVELS - 1).astype(np.int64)
        good, bad = inspected & ~truth, inspected & truth
        self.normal += np.bincount(levels[good], minlength=LEVELS)
        self.defective += np.bincount(levels[bad], minlength=LEVELS)
        _, regions = cv2.connectedComponents(bad.astype(np.uint8), connectivity=8)
        share = 1 / np.maximum(np.bincount(regions.ravel()), 1)
        self.overlap += np.bincount(levels[bad], weights=share[regions[bad]], minlength=LEVELS)

    def __add__(self, other: PixelCounts) -> PixelCounts:
        return PixelCounts(self.normal + other.normal, self.defective + other.defective, self.overlap + other.overlap)

    def auroc(self) -> float | None:
        """None when there are no defect masks."""
        curve = _curve(self.normal, self.defective)
        return float(np.trapezoid(curve[1], curve[0])) if curve else None

    def au_pro(self) -> float | None:
        """Area under the per-region overlap up to a false-positive rate of 30 %, as a share of the best possible."""
        curve = _curve(self.normal, self.overlap)
        if curve is None:
            return None
        false_positives, overlap = curve
        inside = false_positives <= PRO_LIMIT
        at_limit = np.interp(PRO_LIMIT, false_positives, overlap)
        area = np.trapezoid([*overlap[inside], at_limit], [*false_positives[inside], PRO_LIMIT])
        return float(area / PRO_LIMIT)


def _curve(normal: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """False- and true-positive rates of counts by level, from (0, 0) to (1, 1): the highest levels first."""
    if not positive.any() or not normal.any():
        return None
    used = np.flatnonzero((normal > 0) | (positive > 0))[::-1]
    false_positives = np.concatenate([[0.0], np.cumsum(normal[used])])
    true_positives = np.concatenate([[0.0], np.cumsum(positive[used])])
    return false_positives / false_positives[-1], true_positives / true_positives[-1]


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Chance that a bad one scores above a good one, equal scores counted half."""
    levels, at = np.unique(np.concatenate([good, bad]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(levels)).astype(float) for part in (at[: len(good)], at[len(good) :])]
    curve = _curve(*counts)
    assert curve is not None, "both hold something"
    return float(np.trapezoid(curve[1], curve[0]))


def figures(good: Sequence[float], bad: Sequence[float], threshold: float, pixels: PixelCounts) -> dict[str, Any]:
    """Figures of good against bad image scores; rates at the threshold with their exact 95 % intervals."""
    false_reject = rate(sum(score >= threshold for score in good), len(good))
    miss = rate(sum(score < threshold for score in bad), len(bad))
    return {
        "image_auroc": auroc(good, bad) if good and bad else None,
        "pixel_auroc": pixels.auroc(),
        "au_pro": pixels.au_pro(),
        "false_reject_rate": false_reject.value,
        "false_reject_ci95": false_reject.ci95,
        "miss_rate": miss.value,
        "miss_ci95": miss.ci95,
        "n_good": len(good),
        "n_bad": len(bad),
    }
