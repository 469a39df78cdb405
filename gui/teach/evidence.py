"""What the samples prove and what they do not: keys of sentences with values, the most important first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# 59 pictures without a miss show a miss rate of at most 5 %, at 95 % confidence: 0.95 ** 59 < 0.05.
ENOUGH_NG = 59
MIN_OK = 3  # the service calibrates with no fewer


@dataclass(frozen=True)
class Sentence:
    key: str
    values: Mapping[str, object]


def sentences(n_ok: int, n_ng: int, percentile: float, overlap: bool | None) -> list[Sentence]:
    """About a calibration by which `percentile` % of the good parts shall pass."""
    if n_ok < MIN_OK:
        return [Sentence("teach.too_few_to_calibrate", {"n": n_ok, "needed": MIN_OK})]
    said = []
    if overlap:
        said.append(Sentence("teach.overlap", {}))
    if n_ng == 0:
        said.append(Sentence("teach.no_ng", {}))
    elif n_ng < ENOUGH_NG:
        said.append(Sentence("teach.few_ng", {"n": n_ng, "needed": ENOUGH_NG}))
    needed = enough_ok(percentile)
    if needed is None or n_ok < needed:
        promised = f"{100 - percentile:.3g}"
        said.append(Sentence("teach.few_ok", {"n": n_ok, "needed": needed or "∞", "promised": promised}))
    return said


def enough_ok(percentile: float) -> int | None:
    """How many good pictures without a false reject show, at 95 % confidence, that so many pass; None: no number."""
    promised = 1 - percentile / 100
    return math.ceil(math.log(0.05) / math.log1p(-promised)) if promised > 0 else None
