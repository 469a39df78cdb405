"""From patch distances to a judged part: score, verdict, regions. Pure; for /infer, calibration and evaluate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.vision import anomaly_map
from service.vision.anomaly_map import Region
from service.vision.network_view import MAP_PX_PER_PATCH, NetworkView

# Blur of the anomaly map, in patches: the paper's sigma of 4 network pixels at 8 pixels per patch.
SIGMA_PATCHES = 0.5
DEFAULT_AREA_MM2 = 1.0


@dataclass(frozen=True)
class Measured:
    """How far a part is from normal: float32 map, the score it gives, and the area in map pixels that counted."""

    map: np.ndarray
    score: float
    area_px: int


@dataclass(frozen=True)
class Judged:
    verdict: Literal["OK", "NG"]
    regions: list[Region]


def measure(distances: np.ndarray, view: NetworkView, mm_per_px: float, area_mm2: float = DEFAULT_AREA_MM2) -> Measured:
    """`distances` float32 (gh, gw) of one picture. Raises EngineFailed when one is not a number."""
    sigma_px = SIGMA_PATCHES * MAP_PX_PER_PATCH
    spread = anomaly_map.spread(distances, view.patches, view.mask, sigma_px=sigma_px)
    area_px = view.place.area_px(area_mm2, mm_per_px, view.inspected_px)
    return Measured(spread, anomaly_map.score(spread, area_px), area_px)


def judge(measured: Measured, view: NetworkView, mm_per_px: float, threshold: float) -> Judged:
    """NG exactly when there is a region to show."""
    if measured.score < threshold:
        return Judged("OK", [])
    found = anomaly_map.regions(measured.map, threshold, measured.area_px, view.place, mm_per_px)
    return Judged("NG", found)
