"""Rules that the service keeps and the screens tell beforehand: what samples can prove, how small an ROI may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.contract.layouts import Box

# 59 pictures without a miss show a miss rate of at most 5 %, at 95 % confidence: 0.95 ** 59 < 0.05.
ENOUGH_NG = 59
MIN_OK_SCORES = 3  # a spread needs three
# One patch of the finest level covers 8 pixels: below this there is nothing to see.
MIN_SIDE_PX = 8
MIN_MARK_PX = 16
ROUNDING_PX = 0.011  # layouts come with numbers rounded to 0.01 px


# Fewer parts than this share of the pictures: a person should know that they are copies.
COPIES = 0.75


@dataclass(frozen=True)
class Doubt:
    """What the samples of a calibration cannot prove; `values` fill its sentence."""

    code: Literal["too_few_to_calibrate", "overlap", "no_ng", "few_ng", "few_ok", "few_parts"]
    values: Mapping[str, object] = field(default_factory=dict)


def doubts(
    n_ok: int, n_ng: int, percentile: float, overlap: bool | None,
    *, ok_parts: int | None = None, ng_parts: int | None = None,
) -> list[Doubt]:  # fmt: skip
    """About a calibration by which `percentile` % of the good parts shall pass; the most important first.

    `ok_parts`, `ng_parts`: different parts among the pictures; left out: each shows another one.
    """
    ok_parts, ng_parts = n_ok if ok_parts is None else ok_parts, n_ng if ng_parts is None else ng_parts
    if n_ok < MIN_OK_SCORES:
        return [Doubt("too_few_to_calibrate", {"n": n_ok, "needed": MIN_OK_SCORES})]
    found = [Doubt("overlap")] if overlap else []
    if ok_parts < COPIES * n_ok:
        found.append(Doubt("few_parts", {"n": n_ok, "parts": ok_parts}))
    if n_ng == 0:
        found.append(Doubt("no_ng"))
    elif ng_parts < ENOUGH_NG:
        found.append(Doubt("few_ng", {"n": ng_parts, "needed": ENOUGH_NG}))
    if is_provisional(ok_parts, percentile):
        needed = enough_ok(percentile)
        found.append(Doubt("few_ok", {"n": ok_parts, "needed": needed or "∞", "promised": f"{100 - percentile:.3g}"}))
    return found


def is_provisional(n_ok_parts: int, percentile: float) -> bool:
    """Whether so many good parts cannot prove what a threshold promises."""
    needed = enough_ok(percentile)
    return needed is None or n_ok_parts < needed


def enough_ok(percentile: float) -> int | None:
    """How many good pictures without a false reject show, at 95 % confidence, that so many pass; None: no number."""
    promised = 1 - percentile / 100
    return math.ceil(math.log(0.05) / math.log1p(-promised)) if promised > 0 else None


def contains(outer: Box, inner: Box) -> bool:
    """Whether one box of a layout lies in another, but for rounding."""
    return (
        inner.x >= outer.x - ROUNDING_PX
        and inner.y >= outer.y - ROUNDING_PX
        and inner.x + inner.w <= outer.x + outer.w + ROUNDING_PX
        and inner.y + inner.h <= outer.y + outer.h + ROUNDING_PX
    )
