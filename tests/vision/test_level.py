"""What a whole part adds to all its distances is taken out, and no defect is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vision.level import Level, levelled

LEVEL = Level.of([1.8, 2.0, 2.2])


def part(median: float, defect: float = 0.0, share: float = 0.0, side: int = 20) -> tuple[np.ndarray, np.ndarray]:
    distances = np.full((side, side), median, np.float32)
    distances.ravel()[: round(share * side**2)] = defect
    return distances, np.ones((side, side), bool)


def test_a_coarser_part_comes_nearer_to_the_others() -> None:
    usual, coarser = (float(levelled(*part(median), LEVEL)[0, 0]) for median in (2.0, 2.2))
    assert usual == pytest.approx(2.0)
    assert coarser == pytest.approx(2.0 * 1.1**0.5)


@given(st.floats(1.8, 12), st.floats(1, 3))
def test_a_part_that_is_farther_everywhere_never_scores_lower(median: float, more: float) -> None:
    near, far = (float(levelled(*part(m), LEVEL)[0, 0]) for m in (median, median * more))
    assert far >= near * (1 - 1e-6)


@pytest.mark.parametrize("share", [0.1, 0.49, 0.51, 0.9, 1.0])
def test_a_defect_that_covers_most_of_the_roi_does_not_explain_itself_away(share: float) -> None:
    """At most what new good parts vary is taken out: a square root of 1.25 times the highest of the good ones."""
    found = float(levelled(*part(2.0, 6.0, share), LEVEL).max())
    assert found >= 6.0 * (2.0 / (1.25 * 2.2)) ** 0.5 * (1 - 1e-6)


def test_an_roi_of_a_few_patches_keeps_its_defect() -> None:
    assert float(levelled(*part(2.0, 6.0, 0.75, side=2), LEVEL).max()) > 2 * 2.2


def test_without_a_level_distances_stay() -> None:
    distances, patches = part(2.0)
    assert levelled(distances, patches, None) is distances


def test_good_parts_without_any_distance_change_nothing() -> None:
    assert float(levelled(*part(3.0), Level.of([0.0, 0.0]))[0, 0]) == 3.0
