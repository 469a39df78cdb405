"""Nearest neighbours: exact, near or far, for any number of queries and vectors."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from service.engine.nearest import nearest, place  # noqa: E402  (torch may be missing)

pytestmark = pytest.mark.torch


def drawn(n: int, dims: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dims), dtype=np.float32)


def exact(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """All distances (q, m) float64, by subtraction."""
    return np.stack([np.linalg.norm(query.astype(np.float64) - vectors, axis=1) for query in queries])


def found(queries: np.ndarray, vectors: np.ndarray, k: int = 1, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
    distances, rows = nearest(torch.from_numpy(queries).to(device), place(vectors, device), k)
    return distances.cpu().numpy(), rows.cpu().numpy()


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(("q", "m", "dims"), [(1, 1, 1), (7, 5, 3), (50, 5_000, 152), (1_100, 300, 64)])
def test_distances_are_those_of_a_comparison_with_every_vector(q: int, m: int, dims: int, k: int) -> None:
    queries, vectors = drawn(q, dims, seed=1), drawn(m, dims)
    distances, rows = found(queries, vectors, k)
    everything = exact(queries, vectors)
    np.testing.assert_allclose(distances, np.sort(everything)[:, : min(k, m)], rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(everything, rows, 1), distances, rtol=1e-5)
    assert (distances.dtype, rows.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("apart", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
@pytest.mark.parametrize("k", [1, 2])
def test_tiny_distances_keep_their_digits(apart: float, k: int) -> None:
    vectors = drawn(3_000, 256)
    vectors[1_000:1_100] = vectors[0] + apart * drawn(100, 256, seed=1)
    queries = vectors[:1] + np.float32(0.7 * apart) * drawn(20, 256, seed=2)
    np.testing.assert_allclose(found(queries, vectors, k)[0], np.sort(exact(queries, vectors))[:, :k], rtol=1e-4)


def test_a_vector_of_the_bank_is_its_own_neighbour_at_distance_zero() -> None:
    vectors = drawn(2_500, 64)
    distances, rows = found(vectors[::10].copy(), vectors)
    assert not distances.any()
    assert rows[:, 0].tolist() == list(range(0, 2_500, 10))


def test_a_broken_query_never_looks_near() -> None:
    queries = torch.tensor([[torch.nan, 0.0], [torch.inf, 0.0], [0.0, 0.0]])
    distances = nearest(queries, place(drawn(10, 2), "cpu"))[0][:, 0]
    assert not (distances[:2] < torch.inf).any()
    assert distances[2].isfinite()


def test_no_queries_have_no_neighbours() -> None:
    distances, rows = nearest(torch.empty(0, 4), place(drawn(10, 4), "cpu"))
    assert (distances.shape, rows.shape) == ((0, 1), (0, 1))


@pytest.mark.parametrize("vectors", [np.empty((0, 4), np.float32), np.full((5, 4), np.nan, np.float32)])
def test_a_bank_that_cannot_be_compared_with_is_refused(vectors: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"no rows|NaN"):
        place(vectors, "cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_the_same_distances() -> None:
    queries, vectors = drawn(5_000, 256, seed=1), drawn(9_000, 256)
    np.testing.assert_allclose(found(queries, vectors, device="cuda")[0], found(queries, vectors)[0], rtol=1e-4)
