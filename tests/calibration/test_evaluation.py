"""Figures of a model: areas under curves are those of scikit-learn, also with equal scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from service.calibration.accuracy import PixelCounts, auroc, figures

few_levels = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=40)


@given(few_levels, few_levels)
def test_auroc_is_that_of_scikit_learn(good: list[float], bad: list[float]) -> None:
    truth = [0] * len(good) + [1] * len(bad)
    assert auroc(good, bad) == pytest.approx(roc_auc_score(truth, [*good, *bad]), abs=1e-12)


def test_pixels_are_counted_over_all_pictures() -> None:
    random, counts, truths, maps = np.random.default_rng(0), PixelCounts(), [], []
    for _ in range(3):
        truth = np.zeros((40, 40), bool)
        truth[5:15, 8:20] = True
        found = (random.random((40, 40)) + truth * 0.5).astype(np.float32)
        counts.add(found, truth, np.ones_like(truth), threshold=0.1)
        truths.append(truth.ravel())
        maps.append(found.ravel())
    expected = roc_auc_score(np.concatenate(truths), np.concatenate(maps))
    assert counts.auroc() == pytest.approx(expected, abs=1e-4)
    assert 0.0 < (counts.au_pro() or 0.0) < 1.0


def test_a_perfect_map_has_whole_areas_and_no_defect_has_none() -> None:
    counts, truth = PixelCounts(), np.zeros((10, 10), bool)
    assert (counts.auroc(), counts.au_pro()) == (None, None)
    truth[2:4, 2:4] = True
    counts.add(truth.astype(np.float32), truth, np.ones_like(truth), threshold=0.1)
    assert (counts.auroc(), counts.au_pro()) == (1.0, 1.0)
    assert figures([1.0, 2.0], [], 1.5, counts)["image_auroc"] is None
