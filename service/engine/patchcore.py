"""PatchCore (Roth et al. 2022, arXiv 2106.08265): a memory bank of good patches, and distances to it.

Prose over the `Engine` protocol; every step that needs the device goes through `on_device`, so that a fit runs in
slices between inspections. What differs from the paper, and why, is measured in docs/accuracy.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Protocol, TypeVar

import numpy as np

from service.engine.parts import folds_of_parts, group_by_part
from service.engine.protocol import Engine, MemoryBank, PlacedBank, Recipe
from service.errors import InvalidField
from service.progress import Report
from service.stopwatch import Stopwatch
from service.vision.level import Level, levelled, median_inside
from service.vision.network_view import NetworkView

T = TypeVar("T")

# Share of the patches kept, and the least: 2,000 vectors give the verdicts of 8,000 at a quarter of the search.
CORESET_RATE = 0.002
MIN_BANK, MAX_BANK = 2_000, 50_000
# Pictures embedded in one slice of a fit: what an inspection may have to wait for.
FIT_BATCH = 2
# Vectors held on the host while teaching; a picture that has more than its share is thinned by a coreset of its own.
MAX_HELD = 400_000
# Vectors that are enough to estimate variances from.
MAX_SAMPLE = 20_000
# Ten folds lack less than five, whose scores are the same within noise: they are made where they cost seconds.
FOLDS, MORE_FOLDS, FEW_VECTORS = 5, 10, 40_000


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
    """`held_out`: for each good picture float32 (gh, gw), its distances to a bank made without its part.

    Empty when a single part leaves nothing to hold out from. `parts` int32 (n_images,): which pictures show one part.
    Both `held_out` and what a new picture's distances become go through `level`, None without held-out distances.
    """

    bank: MemoryBank
    n_images: int
    n_embeddings: int
    held_out: list[np.ndarray]
    parts: np.ndarray
    level: Level | None


@dataclass
class Fitting:
    """What a fit needs while it runs: `load(i)` gives good picture i of `count`, and is called twice for each.

    `part_ids[i]`: the part that picture i shows, "" when nobody said; left out: nobody said it of any.
    """

    engine: Engine
    recipe: Recipe
    count: int
    load: Callable[[int], Good]
    on_device: OnDevice
    report: Report
    watch: Stopwatch
    part_ids: Sequence[str] = ()


def fit(fitting: Fitting, teaching: Teaching) -> Fitted:
    """Memory bank and out-of-sample distances of good pictures.

    Same pictures, teaching and recipe give the same bank. Memory stays bounded for any number of pictures.
    """
    good = gather(fitting, teaching)
    with fitting.watch("parts"):
        parts = group_by_part(good.vectors, good.owners, fitting.part_ids or [""] * fitting.count)
    size = bank_size(good, teaching)
    bank = whitened_bank(fitting, good, size, teaching.seed, lambda p: fitting.report(0.4 + 0.2 * p, "coreset"))
    held_out, level = _hold_out(fitting, teaching, good, parts)
    return Fitted(bank, fitting.count, good.total, held_out, parts, level)


def gather(fitting: Fitting, teaching: Teaching) -> GoodPatches:
    """The patches of all good pictures, each picture's made without a look at any other."""
    share = max(1, MAX_HELD // fitting.count)
    held, owners, counts = [], [], []
    for index, vectors in _embedded(fitting):
        fitting.report(0.4 * index / fitting.count, "embed")
        counts.append(len(vectors))
        if teaching.keep_all and sum(counts) > MAX_HELD:
            raise InvalidField(
                f"memory_fit: the pictures have over {MAX_HELD:,} patches; send memory_fit=false, or fewer pictures."
            )
        axes = random_axes(vectors.shape[1], teaching.dims, teaching.seed)
        with fitting.watch("project"):
            projected = vectors @ axes
        if len(projected) > share and not teaching.keep_all:
            fewer = min(share, len(projected) // 2)  # a coreset of nearly all is slow, and hardly smaller
            projected = projected[coreset(fitting, projected, fewer, teaching.seed, lambda _: None)]
        held.append(projected)
        owners.append(np.full(len(projected), index, np.int32))
    return GoodPatches(np.concatenate(held), np.concatenate(owners), axes, np.array(counts))


@lru_cache(maxsize=4)
def random_axes(width: int, dims: int, seed: int) -> np.ndarray:
    """`dims` (0 = all) random orthogonal directions of `width`, float32 columns (width, d) that keep distances.

    No picture decides about them, so nothing of a picture that is held out is in them, and nothing that a defect may
    have lies outside: distances in 512 random dimensions are those in all, within some percent (Johnson & Lindenstrauss
    1984), where 512 principal axes of good patches are blind to what good parts never show.
    """
    if not 0 < dims < width:
        return np.eye(width, dtype=np.float32)
    directions, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, dims)))
    axes: np.ndarray = (directions * math.sqrt(width / dims)).astype(np.float32)
    return axes


def partial_whitening(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (d, d) and offset (d,) that bring the variances v of (n, d) good vectors to sqrt(v).

    Half way to a Mahalanobis distance: directions in which good parts hardly vary count for more than in the plain
    distance, but noise is not blown up to the size of everything else.
    """
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    variances, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
    matrix = axes * (np.maximum(variances, 0) + 1e-4 * variances.mean() + 1e-12) ** -0.25
    return matrix.astype(np.float32), (-mean @ matrix).astype(np.float32)


@dataclass(frozen=True)
class GoodPatches:
    """Good patches: `vectors` (m, d) in random `axes` (D, d), `owners` (m,), and `counts` (n,), of each picture's
    patches before any were thinned."""

    vectors: np.ndarray
    owners: np.ndarray
    axes: np.ndarray
    counts: np.ndarray

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def without(self, pictures: np.ndarray) -> GoodPatches:
        rest = ~np.isin(self.owners, pictures)
        return replace(
            self, vectors=self.vectors[rest], owners=self.owners[rest], counts=np.delete(self.counts, pictures)
        )


def whitened_bank(
    fitting: Fitting, good: GoodPatches, size: int, seed: int, done: Callable[[float], None]
) -> MemoryBank:
    """Whiten, then keep a coreset of `size` vectors."""
    with fitting.watch("whiten"):
        sample = np.random.default_rng(seed).permutation(len(good.vectors))[:MAX_SAMPLE]
        matrix, offset = partial_whitening(good.vectors[sample])
        whitened = good.vectors @ matrix + offset
    chosen = coreset(fitting, whitened, size, seed, done)
    return MemoryBank(whitened[chosen], good.owners[chosen], good.axes @ matrix, offset)


def _hold_out(
    fitting: Fitting, teaching: Teaching, good: GoodPatches, parts: np.ndarray
) -> tuple[list[np.ndarray], Level | None]:
    """Cross-validation: the parts of each fold against the bank that a fit of the other parts alone would make."""
    folds = folds_of_parts(parts, MORE_FOLDS if len(good.vectors) <= FEW_VECTORS else FOLDS, teaching.seed)
    if len(folds) < 2:
        return [], None
    held_out: dict[int, HeldOut] = {}
    for number, fold in enumerate(folds):
        done = partial(_report_fold, fitting.report, number, len(folds))
        rest = good.without(fold)
        bank = whitened_bank(fitting, rest, bank_size(rest, teaching), teaching.seed, done)
        held_out |= zip(fold.tolist(), _compare(fitting, bank, fold.tolist(), done), strict=True)
    medians = np.array([held_out[index].median for index in range(fitting.count)])
    level = Level.of(medians.tolist())
    for fold in folds:
        of_rest = replace(Level.of(np.delete(medians, fold).tolist()), usual=level.usual)
        held_out |= {index: held_out[index].levelled(of_rest) for index in fold.tolist()}
    return [held_out[index].distances for index in range(fitting.count)], level


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Distances float32 (gh, gw) of a picture to a bank made without it, where bool (gh, gw) `patches` count."""

    distances: np.ndarray
    patches: np.ndarray

    @property
    def median(self) -> float:
        return median_inside(self.distances, self.patches)

    def levelled(self, level: Level) -> HeldOut:
        return replace(self, distances=levelled(self.distances, self.patches, level))


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


def _compare(fitting: Fitting, bank: MemoryBank, indices: list[int], done: Callable[[float], None]) -> list[HeldOut]:
    """The pictures against a bank."""
    engine, found = fitting.engine, []
    placed = fitting.on_device(lambda: engine.place(bank))
    for index in indices:
        done(1.0)
        good = fitting.load(index)
        with fitting.watch("hold out"):
            distances = fitting.on_device(partial(_distances, fitting, good, placed))
        found.append(HeldOut(distances, good.view.patches))
    return found


def _distances(fitting: Fitting, good: Good, placed: PlacedBank) -> np.ndarray:
    patches = fitting.engine.embed(fitting.recipe, [good.picture])
    return fitting.engine.distances(patches, [placed], [good.view.patches])[0]


def bank_size(good: GoodPatches, teaching: Teaching) -> int:
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
