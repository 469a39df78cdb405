"""The held-out score of a good picture is the score that a model gives it which was taught without it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from service.calibration.threshold import calibrate
from service.contract.shapes import parse_shape
from service.demo.discs import draw_disc, ring_shape
from service.engine import patchcore
from service.engine.patchcore import Fitted, Fitting, Good, Teaching
from service.engine.protocol import Engine, Recipe
from service.settings import read_settings
from service.stopwatch import Stopwatch
from service.vision.level import levelled
from service.vision.network_view import network_view
from service.vision.verdict import measure
from tests.conftest import SHARED
from tests.kit.twin import TwinEngine

MM_PER_PX = 0.25
RING = parse_shape(json.dumps(ring_shape()))


def good(recipe: Recipe, image_rgb: np.ndarray) -> Good:
    view = network_view(RING, *image_rgb.shape[:2], recipe.input_size, recipe.stride)
    return Good(view.picture(image_rgb), view)


def fit(engine: Engine, recipe: Recipe, goods: list[Good]) -> Fitted:
    fitting = Fitting(engine, recipe, len(goods), goods.__getitem__, lambda work: work(), lambda *_: None, Stopwatch())
    return patchcore.fit(fitting, Teaching(dims=recipe.dims))


def score(engine: Engine, recipe: Recipe, fitted: Fitted, one: Good) -> float:
    patches = engine.embed(recipe, [one.picture])
    [distances] = engine.distances(patches, [engine.place(fitted.bank)], [one.view.patches])
    return measure(levelled(distances, one.view.patches, fitted.level), one.view, MM_PER_PX).score


def unit(fitted: Fitted) -> float:
    """Of the scores of a model: what its level multiplies all of them with, held out or not."""
    assert fitted.level is not None
    return fitted.level.usual**0.5


def disagreement(engine: Engine, recipe: Recipe, goods: list[Good]) -> list[float]:
    """Log of held-out score over the score without the picture, of the first four."""
    fitted, found = fit(engine, recipe, goods), []
    for index in range(4):
        own = measure(fitted.held_out[index], goods[index].view, MM_PER_PX).score / unit(fitted)
        without = fit(engine, recipe, goods[:index] + goods[index + 1 :])
        found.append(float(np.log(own / (score(engine, recipe, without, goods[index]) / unit(without)))))
    return found


def real(backbone: str, data_root: Path) -> tuple[Engine, Recipe]:
    from service.engine.torch_engine import TorchEngine

    weights = SHARED / "weights"
    if backbone == "resnet50" and not weights.is_dir():
        pytest.skip("the weights of resnet50 are not beside the checkout")
    settings = read_settings(
        BACKEND_BACKBONE=backbone, BACKEND_WEIGHTS_DIR=weights if backbone == "resnet50" else None,
        BACKEND_DATA_ROOT=data_root, BACKEND_DEVICE="cpu",
    )  # fmt: skip
    engine = TorchEngine(settings)
    return engine, engine.recipe(backbone, 256)


@pytest.mark.parametrize("count", [6, 10])
def test_on_the_twin(count: int) -> None:
    engine = TwinEngine()
    recipe = engine.recipe(input_size=128)
    goods = [good(recipe, draw_disc(seed).image_rgb) for seed in range(1, count + 1)]
    assert np.abs(disagreement(engine, recipe, goods)).max() < 0.05


@pytest.mark.torch
@pytest.mark.parametrize(("backbone", "count"), [("efficientnet_lite0", 6), ("resnet50", 4)])
def test_on_the_real_engine_with_drawn_discs(backbone: str, count: int, tmp_path: Path) -> None:
    engine, recipe = real(backbone, tmp_path)
    goods = [good(recipe, draw_disc(seed).image_rgb) for seed in range(1, count + 1)]
    assert np.abs(disagreement(engine, recipe, goods)).max() < 0.02


@pytest.mark.torch
def test_a_defect_that_good_parts_never_show_is_not_outside_what_is_compared(tmp_path: Path) -> None:
    """100 mm² of red paint on the ring, after six good discs: the OK that a part must never get."""
    engine, recipe = real("resnet50", tmp_path)
    fitted = fit(engine, recipe, [good(recipe, draw_disc(seed).image_rgb) for seed in range(1, 7)])
    scores = [
        measure(held_out, good(recipe, draw_disc(1).image_rgb).view, MM_PER_PX).score for held_out in fitted.held_out
    ]
    threshold = calibrate(scores, [], 95, ok_parts=fitted.parts.tolist()).threshold
    painted = draw_disc(52).image_rgb.copy()
    painted[240:280, 50:90] = 255, 0, 0
    assert score(engine, recipe, fitted, good(recipe, painted)) > 1.5 * threshold
    assert score(engine, recipe, fitted, good(recipe, draw_disc(50).image_rgb)) < threshold
