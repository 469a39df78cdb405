"""PatchCore (Roth et al. 2022, arXiv 2106.08265): a memory bank of good patches, and distances to it.

Prose over the `Engine` protocol; every step that needs the device goes through `on_device`, so that a fit runs in
slices between inspections. What differs from the paper, and why, is measured in docs/accuracy.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Protocol, TypeVar

import numpy as np

from service.engine.protocol import Engine, MemoryBank, PlacedBank, Recipe
from service.errors import InvalidField
from service.progress import Report
from service.stopwatch import Stopwatch
from service.vision.network_view import NetworkView

T = TypeVar("T")

# Share of the patches kept, and the least: 2,000 vectors give the verdicts of 8,000 at a quarter of the search.
CORESET_RATE = 0.002
MIN_BANK, MAX_BANK = 2_000, 50_000
# Pictures embedded in one slice of a fit: what an inspection may have to wait for.
FIT_BATCH = 2
# Vectors held on the host while teaching; beyond them they are thinned to half by a coreset of their own.
MAX_HELD = 400_000
# Vectors from which the principal axes are found before any are projected: bounds the memory of wide backbones.
MAX_RAW = 60_000
# Vectors that are enough to estimate variances from.
MAX_SAMPLE = 20_000
FOLDS = 5


class OnDevice(Protocol):
    """Runs one slice of work where the device may be used, and returns its result."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


@dataclass(frozen=True)
class Teaching:
    """How to fit: share of patches kept and the least number, dimensions compared (0 = all), the coreset's seed."""

    coreset_rate: float = CORESET_RATE
    min_bank: int = MIN_BANK
    dims: int = 0
    keep_all: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Good:
    """One good picture, ready for the network: uint8 RGB (*view.input_hw, 3)."""

    picture: np.ndarray
    view: NetworkView


@dataclass(frozen=True)
class Fitted:
    """`held_out`: for each good picture float32 (gh, gw), its distances to a bank made without it.

    Empty when a single picture leaves nothing to hold out from.
    """

    bank: MemoryBank
    n_images: int
    n_embeddings: int
    held_out: list[np.ndarray]


@dataclass
class Fitting:
    """What a fit needs while it runs: `load(i)` gives good picture i of `count`, and is called twice for each."""

    engine: Engine
    recipe: Recipe
    count: int
    load: Callable[[int], Good]
    on_device: OnDevice
    report: Report
    watch: Stopwatch


def fit(fitting: Fitting, teaching: Teaching) -> Fitted:
    """Memory bank and out-of-sample distances of good pictures.

    Same pictures, teaching and recipe give the same bank. Memory stays bounded for any number of pictures.
    """
    good = gather(fitting, teaching)
    size = _bank_size(good, teaching)
    bank = whitened_bank(fitting, good, size, teaching.seed, lambda p: fitting.report(0.4 + 0.2 * p, "coreset"))
    return Fitted(bank, fitting.count, good.total, _hold_out(fitting, teaching, good, size))


def gather(fitting: Fitting, teaching: Teaching) -> GoodPatches:
    """The patches of all good pictures, along their principal axes."""
    gathering = _Gathering(fitting, teaching)
    for index, vectors in _embedded(fitting):
        fitting.report(0.4 * index / fitting.count, "embed")
        gathering.add(vectors, owner=index)
    return gathering.finish()


def principal_axes(vectors: np.ndarray, dims: int) -> tuple[np.ndarray, np.ndarray]:
    """The `dims` (0 = all) widest directions of (n, D) vectors as columns (D, d), and the offset (d,) of their mean."""
    mean, variances, axes = _spread(vectors)
    widest = axes[:, np.argsort(variances)[::-1][: dims or None]]
    return widest.astype(np.float32), (-mean @ widest).astype(np.float32)


def partial_whitening(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (d, d) and offset (d,) that bring the variances v of (n, d) good vectors to sqrt(v).

    Half way to a Mahalanobis distance: directions in which good parts hardly vary count for more than in the plain
    distance, but noise is not blown up to the size of everything else.
    """
    mean, variances, axes = _spread(vectors)
    matrix = axes * (np.maximum(variances, 0) + 1e-4 * variances.mean() + 1e-12) ** -0.25
    return matrix.astype(np.float32), (-mean @ matrix).astype(np.float32)


def _spread(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (D,) of (n, D) vectors, and their variances (D,) along axes (D, D, columns); float64."""
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    variances, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
    return mean, variances, axes


@dataclass(frozen=True)
class GoodPatches:
    """Good patches: `vectors` (m, d) along the principal axes, `owners` (m,), and how to get there from a patch.

    `total`: patches there were, before any were thinned.
    """

    vectors: np.ndarray
    owners: np.ndarray
    axes: np.ndarray
    offset: np.ndarray
    total: int

    def without(self, pictures: np.ndarray) -> GoodPatches:
        rest = ~np.isin(self.owners, pictures)
        return replace(self, vectors=self.vectors[rest], owners=self.owners[rest])


def whitened_bank(
    fitting: Fitting, good: GoodPatches, size: int, seed: int, done: Callable[[float], None]
) -> MemoryBank:
    """Whiten, then keep a coreset of `size` vectors."""
    with fitting.watch("whiten"):
        sample = np.random.default_rng(seed).permutation(len(good.vectors))[:MAX_SAMPLE]
        matrix, offset = partial_whitening(good.vectors[sample])
        whitened = good.vectors @ matrix + offset
    chosen = coreset(fitting, whitened, size, seed, done)
    return MemoryBank(whitened[chosen], good.owners[chosen], good.axes @ matrix, good.offset @ matrix + offset)


def _hold_out(fitting: Fitting, teaching: Teaching, good: GoodPatches, size: int) -> list[np.ndarray]:
    """Cross-validation: the pictures of each fold against a bank made from the other folds alone."""
    if fitting.count < 2:
        return []
    distances: dict[int, np.ndarray] = {}
    shuffled = np.random.default_rng(teaching.seed).permutation(fitting.count)
    folds = np.array_split(shuffled, min(FOLDS, fitting.count))
    for number, fold in enumerate(folds):
        done = partial(_report_fold, fitting.report, number, len(folds))
        rest = good.without(fold)
        part = whitened_bank(
            fitting, rest, max(1, round(size * len(rest.vectors) / len(good.vectors))), teaching.seed, done
        )
        distances |= zip(fold.tolist(), _compare(fitting, part, fold.tolist(), done), strict=True)
    return [distances[index] for index in range(fitting.count)]


def _report_fold(report: Report, number: int, folds: int, progress: float) -> None:
    report(0.6 + 0.4 * (number + progress) / folds, "hold out")


def _embedded(fitting: Fitting) -> Iterator[tuple[int, np.ndarray]]:
    """Index and vectors (patches inside the shape, D) of every good picture."""
    for first in range(0, fitting.count, FIT_BATCH):
        batch = range(first, min(first + FIT_BATCH, fitting.count))
        with fitting.watch("load"):
            goods = [fitting.load(index) for index in batch]
        for same in _runs_of_one_size(goods):
            with fitting.watch("embed"):
                raw = fitting.on_device(partial(_embed, fitting, [good.picture for good in same]))
            for good, vectors in zip(same, raw, strict=True):
                yield first, vectors[good.view.patches.ravel()]
                first += 1


def _runs_of_one_size(goods: list[Good]) -> Iterator[list[Good]]:
    for _, run in groupby(goods, key=lambda good: good.picture.shape):
        yield list(run)


def _embed(fitting: Fitting, pictures: list[np.ndarray]) -> np.ndarray:
    return fitting.engine.vectors(fitting.engine.embed(fitting.recipe, pictures))


def _compare(fitting: Fitting, bank: MemoryBank, indices: list[int], done: Callable[[float], None]) -> list[np.ndarray]:
    """Distances (gh, gw) of the pictures to a bank."""
    engine, found = fitting.engine, []
    placed = fitting.on_device(lambda: engine.place(bank))
    for index in indices:
        done(1.0)
        good = fitting.load(index)
        with fitting.watch("hold out"):
            found.append(fitting.on_device(partial(_look, fitting, good, placed)))
    return found


def _look(fitting: Fitting, good: Good, placed: PlacedBank) -> np.ndarray:
    patches = fitting.engine.embed(fitting.recipe, [good.picture])
    return fitting.engine.distances(patches, [placed], [good.view.patches])[0]


def _bank_size(good: GoodPatches, teaching: Teaching) -> int:
    held = len(good.vectors)
    if teaching.keep_all:
        return held
    return min(max(math.ceil(teaching.coreset_rate * good.total), teaching.min_bank, 1), MAX_BANK, held)


def coreset(fitting: Fitting, vectors: np.ndarray, size: int, seed: int, done: Callable[[float], None]) -> np.ndarray:
    """Indices (size,); all of them, in order, when nothing is left out."""
    if size >= len(vectors):
        return np.arange(len(vectors))
    with fitting.watch("coreset"):
        steps = fitting.engine.coreset(vectors, size, seed)
        while True:
            progress, chosen = fitting.on_device(partial(_next, steps))
            if chosen is not None:
                return chosen
            done(progress)


def _next(steps: Generator[float, None, np.ndarray]) -> tuple[float, np.ndarray | None]:
    try:
        return next(steps), None
    except StopIteration as end:
        return 1.0, end.value


class _Gathering:
    """Collects patch vectors within bounded memory, along their principal axes as soon as these are known."""

    def __init__(self, fitting: Fitting, teaching: Teaching) -> None:
        self._fitting, self._teaching = fitting, teaching
        self._raw: list[np.ndarray] = []
        self._owners: list[np.ndarray] = []
        self._projected: list[np.ndarray] = []
        self._axes: tuple[np.ndarray, np.ndarray] | None = None
        self._total = 0

    def add(self, vectors: np.ndarray, owner: int) -> None:
        self._total += len(vectors)
        self._owners.append(np.full(len(vectors), owner, np.int32))
        self._raw.append(vectors)
        if self._axes is not None or sum(map(len, self._raw)) >= MAX_RAW:
            self._project()
        if sum(map(len, self._projected)) > MAX_HELD:
            self._thin()

    def finish(self) -> GoodPatches:
        axes, offset = self._project()
        return GoodPatches(np.concatenate(self._projected), np.concatenate(self._owners), axes, offset, self._total)

    def _project(self) -> tuple[np.ndarray, np.ndarray]:
        with self._fitting.watch("project"):
            if self._axes is None:
                raw = np.concatenate(self._raw)
                sample = np.random.default_rng(self._teaching.seed).permutation(len(raw))[:MAX_SAMPLE]
                self._axes = principal_axes(raw[sample], self._teaching.dims)
            axes, offset = self._axes
            self._projected += [raw @ axes + offset for raw in self._raw]
            self._raw.clear()
            return self._axes

    def _thin(self) -> None:
        if self._teaching.keep_all:
            raise InvalidField(
                f"memory_fit: the pictures have over {MAX_HELD:,} patches; send memory_fit=false, or fewer pictures."
            )
        vectors, owners = np.concatenate(self._projected), np.concatenate(self._owners)
        kept = np.sort(coreset(self._fitting, vectors, len(vectors) // 2, self._teaching.seed, lambda _: None))
        self._projected, self._owners = [vectors[kept]], [owners[kept]]
