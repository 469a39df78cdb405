"""The coreset: the plain greedy loop's picks, in small steps, whatever the vectors look like."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from service.engine.coreset import greedy_coreset  # noqa: E402  (torch may be missing)

pytestmark = pytest.mark.torch


def run(steps: Generator[float, None, torch.Tensor]) -> tuple[list[float], list[int]]:
    """What it yields, and the picks."""
    progress = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return progress, end.value.tolist()


def picks(vectors: torch.Tensor, n_select: int, seed: int = 0) -> list[int]:
    return run(greedy_coreset(vectors, n_select, seed=seed))[1]


def plain_loop(vectors: torch.Tensor, first: int, n_select: int) -> list[int]:
    """The algorithm as the papers print it, in float64."""
    exact = vectors.double()
    distance, chosen = torch.full((len(vectors),), torch.inf, dtype=torch.float64), [first]
    while len(chosen) < n_select:
        distance = torch.minimum(distance, (exact - exact[chosen[-1]]).norm(dim=1))
        chosen.append(int(distance.argmax()))
    return chosen


def covering_radius(vectors: torch.Tensor, chosen: list[int]) -> float:
    exact = vectors.double()
    return float(torch.stack([(exact - exact[row]).norm(dim=1) for row in chosen]).amin(0).max())


def drawn(n: int, dims: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, dims), dtype=np.float32))


def clustered(n: int, dims: int) -> torch.Tensor:
    return drawn(20, dims)[torch.arange(n) % 20] * 3 + drawn(n, dims, seed=1)


@pytest.mark.parametrize("n_select", [1, 2, 30, 400])
@pytest.mark.parametrize("vectors", [clustered(4_000, 96), drawn(4_000, 96)], ids=["clustered", "isotropic"])
def test_the_picks_are_those_of_the_plain_loop(vectors: torch.Tensor, n_select: int) -> None:
    found = picks(vectors, n_select)
    assert set(found) == set(plain_loop(vectors, found[0], n_select))


@pytest.mark.parametrize(
    "vectors",
    [
        pytest.param(drawn(40, 64).repeat(50, 1), id="every vector fifty times"),
        pytest.param(drawn(2_000, 64) + 1e4, id="far from zero"),
        pytest.param(drawn(2_000, 64) * 0.01 + torch.tensor([0.0, 1e3])[torch.arange(2_000) % 2, None], id="far apart"),
        pytest.param(drawn(2_000, 64) * drawn(2_000, 1).exp() ** 2, id="a few far out"),
        pytest.param(drawn(2_000, 64).half(), id="half precision"),
        pytest.param(drawn(2_000, 1), id="one dimension"),
    ],
)
def test_the_picks_cover_difficult_vectors_as_well_as_the_plain_loop(vectors: torch.Tensor) -> None:
    for n_select in (2, 10, 200):
        found = picks(vectors, n_select)
        assert len(set(found)) == n_select
        plain = covering_radius(vectors, plain_loop(vectors, found[0], n_select))
        assert covering_radius(vectors, found) <= 1.02 * plain


def test_the_same_seed_gives_the_same_picks_and_another_starts_elsewhere() -> None:
    vectors = clustered(3_000, 64)
    assert picks(vectors, 100, seed=5) == picks(vectors, 100, seed=5)
    assert picks(vectors, 1, seed=5) != picks(vectors, 1, seed=6)


def test_progress_rises_from_0_to_1_in_many_small_steps() -> None:
    progress, _ = run(greedy_coreset(drawn(5_000, 64), 1_000))
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0.0, 1.0)
    assert len(progress) > 50


def test_a_fit_can_be_abandoned_between_two_steps() -> None:
    steps = greedy_coreset(drawn(5_000, 64), 1_000)
    assert next(steps) == 0.0
    steps.close()
    assert list(steps) == []


def test_equal_vectors_are_picked_once_each() -> None:
    assert len(set(picks(torch.ones(2_000, 16), 900))) == 900


@pytest.mark.parametrize("n_select", [7, 8, 100])
def test_asking_for_all_vectors_or_more_gives_all(n_select: int) -> None:
    assert sorted(picks(drawn(7, 5), n_select)) == list(range(7))


def test_a_single_vector_is_its_own_coreset() -> None:
    assert picks(drawn(1, 5), 1) == [0]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e30])
@pytest.mark.parametrize("n_select", [1, 5])
def test_vectors_that_cannot_be_measured_are_refused(bad: float, n_select: int) -> None:
    vectors = drawn(100, 8)
    vectors[50, 3] = bad
    with pytest.raises(ValueError, match="NaN, infinity"):
        picks(vectors, n_select)


@pytest.mark.parametrize(("n", "n_select"), [(0, 1), (5, 0), (5, -1)])
def test_nothing_to_pick_is_refused(n: int, n_select: int) -> None:
    with pytest.raises(ValueError, match="Cannot pick"):
        picks(drawn(n, 3), n_select)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_covers_as_well_as_the_plain_loop() -> None:
    vectors = clustered(4_000, 96)
    found = picks(vectors.cuda(), 400)
    assert covering_radius(vectors, found) <= 1.02 * covering_radius(vectors, plain_loop(vectors, found[0], 400))
