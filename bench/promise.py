"""What a threshold promises and what it keeps on pictures it never saw: by axes, what is held out, how much is taught.

    python -m bench.promise FOLDER [--shape circle] [--backbone NAME]

Every row teaches on `train/good` alone. `oracle`: misses where the good test pictures themselves set the limit, which
no real threshold can know. Rates are of the test pictures, in %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.tables import console, print_table
from service.calibration.accuracy import auroc
from service.calibration.threshold import calibrate
from service.cli.evaluate import Reader, test_pictures
from service.cli.teach_inspect import pictures_by_part
from service.engine import patchcore
from service.engine.parts import folds_of_parts, group_by_part
from service.engine.patchcore import Fitting, Good, GoodPatches, Teaching
from service.engine.protocol import MemoryBank, Recipe
from service.engine.torch_engine import TorchEngine
from service.settings import read_settings
from service.stopwatch import Stopwatch
from service.teaching.fit import typical_side
from service.vision.level import Level, levelled
from service.vision.network_view import NetworkView
from service.vision.verdict import measure

PERCENTILE, MM_PER_PX = 95.0, 0.25
PICTURES = (6, 16, 40, 80)


@dataclass(frozen=True)
class Seen:
    """A picture's patches (gh * gw, D), its view and what it shows: `train`, `good` or a defect."""

    patches: np.ndarray
    view: NetworkView
    kind: str

    @property
    def inside(self) -> np.ndarray:
        found: np.ndarray = self.patches[self.view.patches.ravel()]
        return found


class Trial:
    """Scores of a data set under a way to make a bank."""

    def __init__(self, engine: TorchEngine, recipe: Recipe, seen: Sequence[Seen], part_ids: Sequence[str]) -> None:
        self.engine, self.recipe, self.part_ids = engine, recipe, list(part_ids)
        self.train = [one for one in seen if one.kind == "train"]
        self.tests = [one for one in seen if one.kind != "train"]
        self.fitting = Fitting(engine, recipe, 1, self._none, lambda work: work(), lambda *_: None, Stopwatch())

    @staticmethod
    def _none(index: int) -> Good:
        raise AssertionError(index)  # patches are here already

    def gathered(self, chosen: Sequence[int], axes: np.ndarray) -> GoodPatches:
        vectors = [self.train[index].inside @ axes for index in chosen]
        owners = [np.full(len(part), index, np.int32) for index, part in zip(chosen, vectors, strict=True)]
        return GoodPatches(np.concatenate(vectors), np.concatenate(owners), axes, np.array([len(v) for v in vectors]))

    def whitened(self, good: GoodPatches) -> MemoryBank:
        size = patchcore.bank_size(good, Teaching())
        return patchcore.whitened_bank(self.fitting, good, size, 0, lambda _: None)

    def distances(self, bank: MemoryBank, shown: Sequence[Seen]) -> list[np.ndarray]:
        import torch

        placed, found = self.engine.place(bank), []
        for one in shown:
            patches = torch.from_numpy(one.patches.reshape(*one.view.grid, -1))
            found += self.engine.distances([patches], [placed], [one.view.patches])  # type: ignore[arg-type]
        return found

    def scores(self, distances: Sequence[np.ndarray], shown: Sequence[Seen], level: Level | None) -> np.ndarray:
        return np.array([
            measure(levelled(away, one.view.patches, level), one.view, MM_PER_PX).score
            for away, one in zip(distances, shown, strict=True)
        ])  # fmt: skip

    def row(self, make_axes: Callable[[Sequence[int]], np.ndarray], *, chosen: Sequence[int], by_part: bool, level: bool
            ) -> tuple[str, ...]:  # fmt: skip
        """Image AUROC, false rejects, misses, the oracle's misses, and how many parts there were."""
        count = len(chosen)
        good = self.gathered(chosen, make_axes(chosen))
        owners = np.searchsorted(np.array(chosen), good.owners)
        parts = group_by_part(good.vectors, owners, [self.part_ids[index] for index in chosen])
        held: dict[int, np.ndarray] = {}
        folds = folds_of_parts(parts if by_part else np.arange(count), patchcore.FOLDS, 0)
        for fold in folds:
            rest = [chosen[index] for index in np.setdiff1d(np.arange(count), fold)]
            out = [self.train[chosen[index]] for index in fold]
            held |= zip(
                fold.tolist(), self.distances(self.whitened(self.gathered(rest, make_axes(rest))), out), strict=True
            )
        shown = [self.train[index] for index in chosen]
        away = [held[index] for index in range(count)]
        medians = [float(np.median(d[one.view.patches])) for d, one in zip(away, shown, strict=True)]
        used = Level.of(medians) if level else None
        tested = self.scores(self.distances(self.whitened(good), self.tests), self.tests, used)
        ok_parts = parts.tolist() if by_part else None
        limit = calibrate(self.scores(away, shown, used).tolist(), [], PERCENTILE, ok_parts=ok_parts).threshold
        is_good = np.array([one.kind == "good" for one in self.tests])
        ok, ng = tested[is_good], tested[~is_good]
        oracle = float((ng < np.quantile(ok, PERCENTILE / 100)).mean())
        rates = (float((ok >= limit).mean()), float((ng < limit).mean()), oracle)
        return f"{auroc(ok.tolist(), ng.tolist()):.3f}", *(f"{100 * rate:.0f}" for rate in rates), str(len(set(parts)))


def main(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    shape: Annotated[str | None, typer.Option(help="As of `brakedisc evaluate`")] = None,
    backbone: Annotated[str, typer.Option(help="Backbone")] = "resnet50",
) -> None:
    settings = read_settings(BACKEND_BACKBONE=backbone)
    engine, reader = TorchEngine(settings), Reader(settings, shape)
    train, part_ids = pictures_by_part(folder / "train" / "good")
    recipe = engine.recipe(backbone, 0, typical_side([reader.about(reader.read(path)) for path in train]))
    seen = list(_embedded(engine, recipe, reader, train, folder))
    trial, rows = Trial(engine, recipe, seen, part_ids), []
    for name, values in _rows(trial, recipe):
        rows.append((name, *values))
        console.print(*rows[-1])
    print_table(
        f"{folder.name}, {backbone}, {recipe.input_size} px",
        ("", "image AUROC", "false rejects", "misses", "oracle", "parts"), rows,
    )  # fmt: skip


def _rows(trial: Trial, recipe: Recipe) -> Iterator[tuple[str, tuple[str, ...]]]:
    width, all_of_them = trial.train[0].patches.shape[1], range(len(trial.train))

    def random(dims: int) -> Callable[[Sequence[int]], np.ndarray]:
        return lambda _: patchcore.random_axes(width, dims, 0)

    def principal(dims: int, leaks: bool) -> Callable[[Sequence[int]], np.ndarray]:
        def axes(chosen: Sequence[int]) -> np.ndarray:
            used = np.concatenate([trial.train[i].inside for i in (all_of_them if leaks else chosen)])
            sample = used[np.random.default_rng(0).permutation(len(used))[: patchcore.MAX_SAMPLE]]
            _, vectors = np.linalg.eigh(np.cov(sample.T))
            found: np.ndarray = vectors[:, -dims:].astype(np.float32)
            return found

        return axes

    if 0 < recipe.dims < width:
        for name, axes in (
            (f"{recipe.dims} principal axes of all pictures, random folds: as before", principal(recipe.dims, True)),
            (f"{recipe.dims} principal axes of the fold's rest", principal(recipe.dims, False)),
            (f"all {width} dimensions", random(0)),
        ):
            yield name, trial.row(axes, chosen=all_of_them, by_part=False, level=False)
    axes = random(recipe.dims)
    yield "random axes", trial.row(axes, chosen=all_of_them, by_part=False, level=False)
    yield "+ level", trial.row(axes, chosen=all_of_them, by_part=False, level=True)
    yield "+ whole parts held out: the default", trial.row(axes, chosen=all_of_them, by_part=True, level=True)
    for count in [number for number in PICTURES if number < len(trial.train)]:
        spread = np.linspace(0, len(trial.train) - 1, count).round().astype(int).tolist()
        yield f"{count} pictures", trial.row(axes, chosen=spread, by_part=True, level=True)


def _embedded(
    engine: TorchEngine, recipe: Recipe, reader: Reader, train: Sequence[Path], folder: Path
) -> Iterator[Seen]:
    kinds = [(path, "train") for path in train]
    kinds += [(picture.path, picture.defect or "good") for picture in test_pictures(folder)]
    for path, kind in kinds:
        image = reader.read(path)
        view = reader.about(image).view(recipe)
        [patches] = engine.vectors(engine.embed(recipe, [view.picture(image)]))
        yield Seen(patches, view, kind)


if __name__ == "__main__":
    typer.run(main)
