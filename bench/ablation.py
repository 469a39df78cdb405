"""What each change against the paper's PatchCore brings: one row per step, on a folder with good and bad pictures.

    python -m bench.ablation FOLDER [--shape circle] [--backbone NAME]

The first row is the paper's recipe (arXiv 2106.08265): 256 px square, 1 % coreset, the largest patch distance
re-weighted by its neighbourhood (equation 7), no whitening. Every further row keeps what the rows above it changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import torch
import typer

from bench.tables import console, print_table
from service.calibration.accuracy import PixelCounts, auroc
from service.cli.evaluate import Picture, Reader, test_pictures, truth_of
from service.cli.teach_inspect import pictures_in
from service.engine import patchcore
from service.engine.nearest import nearest
from service.engine.patchcore import Fitting, Good, Teaching
from service.engine.protocol import MemoryBank, Recipe
from service.engine.torch_engine import PlacedBank, TorchEngine
from service.settings import read_settings
from service.stopwatch import Stopwatch
from service.teaching.fit import typical_side
from service.vision.anomaly_map import on_roi
from service.vision.level import Level, levelled
from service.vision.masks import pixel_mask
from service.vision.network_view import LARGEST_ASPECT, NetworkView, network_view
from service.vision.verdict import measure

T = TypeVar("T")
NEIGHBOURS = 9  # of the paper's code for equation 7
MM_PER_PX = 0.2
NO_LIMITS = Level(usual=1.0, least=1e-9, most=1e9)


@dataclass(frozen=True)
class Variant:
    name: str
    input_size: int = 256
    aspect: float = 1.0
    whiten: bool = False
    vectors: float = 0.01  # share of the patches, or a number
    reweight: bool = True
    level: bool = False


def main(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    shape: Annotated[str | None, typer.Option(help="As of `brakedisc evaluate`")] = None,
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    seeds: Annotated[int, typer.Option(help="Coreset seeds to average over")] = 2,
) -> None:
    settings = read_settings(BACKEND_BACKBONE=backbone)
    engine, reader = TorchEngine(settings), Reader(settings, shape)
    train, tests = pictures_in(folder / "train" / "good"), list(test_pictures(folder))
    own = engine.recipe(backbone, 0, typical_side([reader.about(reader.read(path)) for path in train]))
    rows = []
    for variant in _steps(own):
        trials = [Trial(engine, replace(own, input_size=variant.input_size), reader, variant, s) for s in range(seeds)]
        figures = [trial.figures(train, tests) for trial in trials]
        rows.append((variant.name, *(_mean([figure[i] for figure in figures]) for i in range(3))))
        console.print(*rows[-1])
    print_table(f"{folder.name}, {backbone}", ("", "image AUROC", "pixel AUROC", "AU-PRO"), rows)


def _steps(own: Recipe) -> Iterator[Variant]:
    step = Variant("the paper")
    yield step
    for name, change in (
        ("maximum of the blurred map", {"reweight": False}),
        ("+ partial whitening", {"whiten": True}),
        ("+ aspect ratio kept", {"aspect": LARGEST_ASPECT}),
        (f"+ {own.input_size} px", {"input_size": own.input_size}),
        (f"+ {patchcore.MIN_BANK} vectors", {"vectors": patchcore.MIN_BANK}),
        ("+ the part's own level taken out: the default", {"level": True}),
    ):
        step = replace(step, name=name, **change)  # type: ignore[arg-type]
        yield step


@dataclass(frozen=True)
class Trial:
    engine: TorchEngine
    recipe: Recipe
    reader: Reader
    variant: Variant
    seed: int

    def figures(self, train: list[Path], tests: list[Picture]) -> tuple[float, float | None, float | None]:
        """Image AUROC, pixel AUROC, AU-PRO."""
        bank = self._bank(train)
        placed = self.engine.place(bank)
        level = float(np.linalg.norm(bank.vectors - bank.vectors.mean(0), axis=1).mean()) / 2
        scores: list[float] = []
        pixels = PixelCounts()
        for picture in tests:
            image = self.reader.read(picture.path)
            view = self._view(image)
            patches = self.engine.embed(self.recipe, [view.picture(image)])
            distances = self.engine.distances(patches, [placed], [view.patches])[0]
            if self.variant.level:
                distances = levelled(distances, view.patches, NO_LIMITS)
            measured = measure(distances, view, MM_PER_PX)
            reweighted = self.variant.reweight
            scores.append(_equation_7(patches[0], distances, view, bank, placed) if reweighted else measured.score)
            if picture.mask or not picture.defect:
                truth = truth_of(picture, image.shape[:2])
                inspected = pixel_mask(self.reader.about(image).shape, *truth.shape)
                pixels.add(on_roi(measured.map, view.place), truth, inspected, level)
        good = [score for picture, score in zip(tests, scores, strict=True) if picture.defect is None]
        bad = [score for picture, score in zip(tests, scores, strict=True) if picture.defect is not None]
        return auroc(good, bad), pixels.auroc(), pixels.au_pro()

    def _bank(self, train: list[Path]) -> MemoryBank:
        def load(index: int) -> Good:
            image = self.reader.read(train[index])
            return Good(self._view(image).picture(image), self._view(image))

        fitting = Fitting(self.engine, self.recipe, len(train), load, lambda work: work(), lambda *_: None, Stopwatch())
        good = patchcore.gather(fitting, Teaching(dims=self.recipe.dims if self.variant.whiten else 0, seed=self.seed))
        share = self.variant.vectors
        size = round(share * good.total if share < 1 else share)
        if self.variant.whiten:
            return patchcore.whitened_bank(fitting, good, size, self.seed, lambda _: None)
        chosen = patchcore.coreset(fitting, good.vectors, size, self.seed, lambda _: None)
        return MemoryBank(
            good.vectors[chosen], good.owners[chosen], good.axes, np.zeros(good.axes.shape[1], np.float32)
        )

    def _view(self, image: np.ndarray) -> NetworkView:
        shape = self.reader.about(image).shape
        height, width = image.shape[:2]
        return network_view(shape, height, width, self.recipe.input_size, self.recipe.stride, self.variant.aspect)


def _equation_7(
    patches: torch.Tensor, distances: np.ndarray, view: NetworkView, bank: MemoryBank, placed: PlacedBank
) -> float:
    """The largest distance, lowered where the nearest good patch has far neighbours itself."""
    inside = np.where(view.patches, distances, -1.0).ravel()
    worst = int(inside.argmax())
    query = patches.reshape(-1, patches.shape[-1])[worst].numpy() @ bank.projection + bank.offset
    _, row = nearest(torch.from_numpy(query)[None], placed.vectors)
    _, around = nearest(torch.from_numpy(bank.vectors[int(row)])[None], placed.vectors, NEIGHBOURS)
    far = np.linalg.norm(bank.vectors[around[0].numpy()] - query, axis=1)
    weight = 1 - 1 / np.exp(far - inside[worst]).sum()
    return float(weight * inside[worst])


def _mean(values: list[float | None]) -> str:
    found = [value for value in values if value is not None]
    return f"{np.mean(found):.3f}" if found else "-"


if __name__ == "__main__":
    typer.run(main)
