"""A fit holds a bounded number of vectors, whatever the number of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from service.engine import patchcore
from service.engine.patchcore import Fitted, Fitting, Good, Teaching
from service.errors import InvalidField
from service.stopwatch import Stopwatch
from service.vision.network_view import network_view
from tests.kit.twin import TwinEngine


def fit(teaching: Teaching, count: int = 12) -> Fitted:
    engine = TwinEngine()
    recipe = engine.recipe(input_size=128)
    view = network_view(None, 128, 128, recipe.input_size, recipe.stride)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (*view.input_hw, 3), np.uint8) for _ in range(count)]
    fitting = Fitting(
        engine, recipe, count, lambda i: Good(pictures[i], view), lambda work: work(), lambda *_: None, Stopwatch()
    )
    return patchcore.fit(fitting, teaching)


def test_more_patches_than_can_be_held_are_thinned_and_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patchcore, "MAX_HELD", 1000)
    fitted = fit(Teaching(min_bank=200))
    assert fitted.n_embeddings == 12 * 256
    assert len(fitted.bank.vectors) == 200
    assert set(fitted.bank.owners.tolist()) <= set(range(12))
    assert len(fitted.held_out) == 12


def test_keeping_every_patch_is_refused_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patchcore, "MAX_HELD", 1000)
    with pytest.raises(InvalidField, match="memory_fit"):
        fit(Teaching(keep_all=True))
