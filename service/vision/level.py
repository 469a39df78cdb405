"""Takes out of patch distances what light and texture of a whole part add to all of them. Pure numpy.

Good parts differ as a whole: one is ground a little coarser, the next stands a little darker, and every patch of it
lies a little farther from all that was taught. Divided by the square root of its own median, such a part scores as the
others do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Above the highest median of a good part by this: new parts differ a little more than those that were taught. Below the
# lowest by this: a bank of all pictures lies nearer to a new part than a bank of some did to those held out.
ABOVE, BELOW = 1.25, 0.5


@dataclass(frozen=True)
class Level:
    """Median patch distance of good parts, and the range in which it is taken out.

    `usual` only keeps scores in the unit of distances. Beyond `most` nothing more is taken out: a defect that covers
    most of an ROI raises its median, and must not explain itself away. Below `least` nothing more is added.
    """

    usual: float
    least: float
    most: float

    @classmethod
    def of(cls, medians: Sequence[float]) -> Level:
        return cls(float(np.median(medians)), BELOW * min(medians), ABOVE * max(medians))

    def factor(self, median: float) -> float:
        return float((self.usual / min(max(median, self.least), self.most)) ** 0.5) if self.least > 0 else 1.0


def median_inside(distances: np.ndarray, patches: np.ndarray) -> float:
    """Of distances float32 (gh, gw) where bool (gh, gw) `patches` are inspected."""
    return float(np.median(distances[patches]))


def levelled(distances: np.ndarray, patches: np.ndarray, level: Level | None) -> np.ndarray:
    """Distances float32 (gh, gw), in proportion; as they are without a level."""
    if level is None:
        return distances
    found: np.ndarray = distances * np.float32(level.factor(median_inside(distances, patches)))
    return found
