"""The axis of scores: its ends, bars, ticks, and the scores next to the threshold. Plain numbers, no drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from service.contract.models import NgScore, OkScore

BINS = 48
# A few NG parts far out must not squeeze the rest into a corner: scores above 4 times the rest are in the last bar.
_ROOM = 4.0
_STEPS = 1000
_TICKS = 6
Scored = OkScore | NgScore


@dataclass(frozen=True)
class Axis:
    """`beyond`: scores above `high`, which are drawn at the end."""

    low: float
    high: float
    beyond: int = 0

    @property
    def step(self) -> float:
        return (self.high - self.low) / _STEPS

    @property
    def digits(self) -> int:
        """Decimals that tell two neighbouring places of the line apart."""
        return max(0, min(6, -math.floor(math.log10(self.step))))

    def share(self, value: float) -> float:
        """0 at the left end, 1 at the right."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def axis(ok: Sequence[float], ng: Sequence[float], threshold: float | None) -> Axis:
    """From a little below the lowest score to a little above the highest that matters."""
    everything = [*ok, *ng, *([threshold] if threshold else [])] or [0.0, 1.0]
    middle = max([*ok, *([threshold] if threshold else [])] or everything)
    top = min(max(everything), _ROOM * middle) if middle > 0 else max(everything)
    low = min(everything)
    margin = 0.06 * (top - low) or 0.1 * top or 1.0
    high = top + margin
    return Axis(max(0.0, low - margin), high, sum(score > high for score in everything))


def histogram(scores: Sequence[float], along: Axis, bins: int = BINS) -> list[int]:
    """How many scores lie in each of the equal parts of the axis."""
    counts = [0] * bins
    for score in scores:
        counts[min(int(along.share(score) * bins), bins - 1)] += 1
    return counts


def ticks(along: Axis) -> list[float]:
    """About five round values within the axis."""
    raw = (along.high - along.low) / _TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(along.low / step)
    return [round(index * step, 9) for index in range(first, math.floor(along.high / step) + 1)]


def tick_digits(values: Sequence[float]) -> int:
    """Decimals that tell the ticks apart."""
    return next((digits for digits in range(7) if all(round(v, digits) == v for v in values)), 7)


def nearest(samples: Sequence[Scored], threshold: float, count: int) -> tuple[list[Scored], list[Scored]]:
    """Samples that just pass and samples just rejected, nearest first. A score at the threshold is rejected."""
    ordered = sorted(samples, key=lambda sample: sample.score)
    below = [sample for sample in ordered if sample.score < threshold]
    above = [sample for sample in ordered if sample.score >= threshold]
    return below[::-1][:count], above[:count]
