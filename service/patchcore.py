"""PatchCore (Roth et al. 2022, arXiv 2106.08265): learn what normal looks like, measure how far a part is from it.

Prose over the `Engine` protocol; every step that needs the device goes through `on_device`, so that a fit runs in
slices between inspections. What differs from the paper, and why, is measured in docs/accuracy.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from service.engine import Engine, MemoryBank, Recipe
from service.errors import InvalidField
from service.framing import Layout
from service.stopwatch import Stopwatch

T = TypeVar("T")
Report = Callable[[float, str], None]

# Pictures embedded in one slice of a fit: what an inspection may have to wait for.
FIT_BATCH = 2
# Vectors held on the host while teaching; beyond them the oldest are thinned to half by a coreset of their own.
MAX_HELD = 400_000
# Vectors from which the projection is estimated, before any are projected: bounds the memory of wide backbones.
MAX_RAW = 60_000
MAX_BANK = 50_000
FOLDS = 5
SHRINKAGE = 0.1
DIMS = 256
CORESET_RATE = 0.02


class OnDevice(Protocol):
    """Runs one slice of work where the device may be used, and returns its result."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


@dataclass(frozen=True)
class Teaching:
    """How to fit: share of patches kept, dimensions compared, whether to keep every patch, the coreset's seed."""

    coreset_rate: float
    dims: int = DIMS
    keep_all: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Good:
    """One good picture, ready for the network: uint8 RGB (input, input, 3) and its layout."""

    picture: np.ndarray
    layout: Layout


@dataclass(frozen=True)
class Fitted:
    """`held_out` float32 (n, gh, gw): distances of each good picture to a bank made without it; nan outside its shape.

    Empty (0, gh, gw) when a single picture leaves nothing to hold out from.
    """

    bank: MemoryBank
    n_images: int
    n_embeddings: int
    held_out: np.ndarray


def fit(
    engine: Engine,
    recipe: Recipe,
    count: int,
    load: Callable[[int], Good],
    teaching: Teaching,
    *,
    on_device: OnDevice,
    report: Report,
    watch: Stopwatch,
) -> Fitted:
    """Memory bank and out-of-sample distances of `count` good pictures; `load(i)` gives one, and is called twice.

    Same pictures, teaching and recipe give the same bank. Memory stays bounded for any number of pictures.
    """
    gather = _Gathering(engine, teaching, on_device, watch)
    for first in range(0, count, FIT_BATCH):
        report(0.4 * first / count, "embed")
        batch = range(first, min(first + FIT_BATCH, count))
        with watch("load"):
            goods = [load(index) for index in batch]
        with watch("embed"):
            raw = on_device(lambda goods=goods: engine.vectors(engine.embed(recipe, [good.picture for good in goods])))  # type: ignore[misc]
        for index, good, vectors in zip(batch, goods, raw, strict=True):
            gather.add(vectors[good.layout.patches.ravel()], owner=index)
    vectors, owners = gather.finish()

    size = _bank_size(gather.total, len(vectors), teaching)
    chosen = _coreset(engine, vectors, size, teaching, on_device, lambda p: report(0.4 + 0.2 * p, "coreset"), watch)
    bank = MemoryBank(vectors[chosen], owners[chosen], *gather.projection)
    held_out = _hold_out(
        engine, recipe, count, load, teaching, bank, vectors, owners,
        on_device=on_device, report=lambda p: report(0.6 + 0.4 * p, "hold out"), watch=watch,
    )  # fmt: skip
    return Fitted(bank, count, gather.total, held_out)


def _hold_out(
    engine: Engine, recipe: Recipe, count: int, load: Callable[[int], Good], teaching: Teaching, bank: MemoryBank,
    vectors: np.ndarray, owners: np.ndarray, *, on_device: OnDevice, report: Callable[[float], None], watch: Stopwatch,
) -> np.ndarray:  # fmt: skip
    """Cross-validation: the pictures of each fold against a bank made from the other folds.

    Folds are runs of neighbouring pictures: pictures of the same part follow each other, and must not vouch for
    each other.
    """
    distances = np.full((count if count > 1 else 0, *recipe.grid), np.nan, np.float32)
    folds = np.array_split(np.arange(count), min(FOLDS, count)) if count > 1 else []
    for number, fold in enumerate(folds):
        rest = np.flatnonzero(~np.isin(owners, fold))
        size = max(1, round(len(bank.vectors) * len(rest) / len(vectors)))
        done = number / len(folds)
        chosen = rest[
            _coreset(
                engine, vectors[rest], size, teaching, on_device, lambda p, d=done: report(d + p / len(folds)), watch
            )  # type: ignore[misc]
        ]
        part = MemoryBank(vectors[chosen], owners[chosen], bank.projection, bank.offset)
        placed = on_device(lambda part=part: engine.place(part))  # type: ignore[misc]
        with watch("hold out"):
            for index in fold:
                report(done)
                good = load(int(index))
                found = on_device(
                    lambda good=good, placed=placed: engine.distances(engine.embed(recipe, [good.picture]), [placed])  # type: ignore[misc]
                )[0]
                distances[index] = np.where(good.layout.patches, found, np.nan)
    return distances


class _Gathering:
    """Collects patch vectors within bounded memory, projecting them as soon as the projection is known."""

    def __init__(self, engine: Engine, teaching: Teaching, on_device: OnDevice, watch: Stopwatch) -> None:
        self._engine, self._teaching, self._on_device, self._watch = engine, teaching, on_device, watch
        self._raw: list[np.ndarray] = []
        self._owners: list[np.ndarray] = []
        self._projected: list[np.ndarray] = []
        self._projection: tuple[np.ndarray, np.ndarray] | None = None
        self.total = 0

    @property
    def projection(self) -> tuple[np.ndarray, np.ndarray]:
        """Matrix (D, d) and offset (d,)."""
        assert self._projection is not None
        return self._projection

    def add(self, vectors: np.ndarray, owner: int) -> None:
        self.total += len(vectors)
        self._owners.append(np.full(len(vectors), owner, np.int32))
        self._raw.append(vectors)
        if self._projection is not None or sum(map(len, self._raw)) >= MAX_RAW:
            self._project()
        if sum(map(len, self._projected)) > MAX_HELD:
            self._thin()

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (m, d) and owners (m,)."""
        self._project()
        return np.concatenate(self._projected), np.concatenate(self._owners)

    def _project(self) -> None:
        if not self._raw:
            return
        with self._watch("projection"):
            raw = np.concatenate(self._raw)
            if self._projection is None:
                self._projection = whitening(raw, self._teaching.dims)
            matrix, offset = self._projection
            self._projected.append(raw @ matrix + offset)
            self._raw.clear()

    def _thin(self) -> None:
        if self._teaching.keep_all:
            raise InvalidField(
                f"memory_fit: the pictures have more than {MAX_HELD:,} patches; send memory_fit=false, or fewer pictures."
            )
        vectors, owners = np.concatenate(self._projected), np.concatenate(self._owners)
        kept = np.sort(
            _coreset(self._engine, vectors, len(vectors) // 2, self._teaching, self._on_device, _silent, self._watch)
        )
        self._projected, self._owners = [vectors[kept]], [owners[kept]]


def _silent(_: float) -> None:
    pass


def whitening(vectors: np.ndarray, dims: int) -> tuple[np.ndarray, np.ndarray]:
    """Projection (D, d) and offset (d,) onto the `dims` widest directions of (n, D) good vectors, each scaled down.

    A direction with variance v is divided by sqrt(v + s), s being a share of the mean variance: directions in which good
    parts hardly vary then count, as in a Mahalanobis distance, without blowing up noise.
    """
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    variances, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(vectors))
    keep = np.argsort(variances)[::-1][: min(dims or len(variances), len(variances))]
    scale = 1 / np.sqrt(np.maximum(variances[keep], 0) + SHRINKAGE * variances.mean() + 1e-12)
    matrix = axes[:, keep] * scale
    return matrix.astype(np.float32), (-mean @ matrix).astype(np.float32)


def _bank_size(total: int, held: int, teaching: Teaching) -> int:
    if teaching.keep_all:
        return held
    return max(1, min(math.ceil(teaching.coreset_rate * total), MAX_BANK, held))


def _coreset(
    engine: Engine, vectors: np.ndarray, size: int, teaching: Teaching, on_device: OnDevice,
    report: Callable[[float], None], watch: Stopwatch,
) -> np.ndarray:  # fmt: skip
    """Indices (size,); all of them, in order, when nothing is left out."""
    if size >= len(vectors):
        return np.arange(len(vectors))
    with watch("coreset"):
        steps = engine.coreset(vectors, size, teaching.seed)
        while True:
            progress, chosen = on_device(lambda: _next(steps))
            if chosen is not None:
                return chosen
            report(progress)


def _next(steps: Generator[float, None, np.ndarray]) -> tuple[float, np.ndarray | None]:
    try:
        return next(steps), None
    except StopIteration as end:
        return 1.0, end.value
