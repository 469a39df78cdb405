"""Greedy k-center: ours beside the plain loop in NumPy, its time and how well the picks cover the patches.

python -m bench.coreset [--patches N] [--dims D] [--rate R] [--isotropic]
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Annotated

import numpy as np
import torch
import typer

from bench.tables import print_table
from service.engine.coreset import greedy_coreset
from service.engine.nearest import nearest, place


def main(
    patches: Annotated[int, typer.Option(help="Patches to choose from")] = 100_000,
    dims: Annotated[int, typer.Option(help="Values per patch")] = 1_024,
    rate: Annotated[float, typer.Option(help="Share of patches kept")] = 0.1,
    isotropic: Annotated[bool, typer.Option(help="Without structure: every distance nearly the same")] = False,
    device: Annotated[str, typer.Option(help="Where ours runs: cpu, cuda:0")] = "cpu",
    plain_picks: Annotated[int, typer.Option(help="Picks of the plain loop that are timed")] = 20,
    radius_patches: Annotated[int, typer.Option(help="Patches on which the plain loop runs to its end")] = 20_000,
) -> None:
    vectors = noise(patches, dims) if isotropic else like_patches(patches, dims)
    n_select = round(patches * rate)
    chosen, seconds, longest_ms = timed(greedy_coreset(torch.from_numpy(vectors).to(device), n_select))
    _, plain_s = plain_greedy(vectors, int(chosen[0]), plain_picks)
    plain_s *= n_select / plain_picks
    print_table(
        f"{n_select:,} of {patches:,} x {dims:,} {'isotropic' if isotropic else 'clustered'} patches, {device}, "
        f"{torch.get_num_threads()} threads",
        ("", "seconds", "ratio", "longest step ms"),
        [
            (f"plain NumPy loop, from {plain_picks} picks", plain_s, "1x", ""),
            ("ours", seconds, f"{plain_s / seconds:.0f}x", longest_ms),
        ],
    )
    _compare_radii(vectors[:radius_patches], rate, device)


def _compare_radii(vectors: np.ndarray, rate: float, device: str) -> None:
    n_select = round(len(vectors) * rate)
    chosen, _, _ = timed(greedy_coreset(torch.from_numpy(vectors).to(device), n_select))
    plain, _ = plain_greedy(vectors, int(chosen[0]), n_select)
    radius, plain_radius = covering_radius(vectors, chosen), covering_radius(vectors, plain)
    print_table(
        f"Covering radius: {n_select:,} of {len(vectors):,}, both loops to their end",
        ("", "radius", "ratio"),
        [("plain NumPy loop", plain_radius, ""), ("ours", radius, f"{radius / plain_radius:.4f}")],
    )


def timed(steps: Generator[float, None, torch.Tensor]) -> tuple[np.ndarray, float, float]:
    """The picks, seconds in all, and milliseconds of the longest step."""
    started = before = time.perf_counter()
    longest = 0.0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value.cpu().numpy(), time.perf_counter() - started, longest * 1e3
        now = time.perf_counter()
        longest, before = max(longest, now - before), now


def plain_greedy(vectors: np.ndarray, first: int, n_select: int) -> tuple[np.ndarray, float]:
    """The picks of the loop as the papers print it, and seconds."""
    started = time.perf_counter()
    distance = np.full(len(vectors), np.inf, np.float32)
    picks = [first]
    for _ in range(n_select):
        distance = np.minimum(distance, np.linalg.norm(vectors - vectors[picks[-1]], axis=1))
        picks.append(int(distance.argmax()))
    return np.array(picks[:n_select]), time.perf_counter() - started


def covering_radius(vectors: np.ndarray, picks: np.ndarray) -> float:
    """The largest distance of any vector to its nearest pick."""
    return float(nearest(torch.from_numpy(vectors), place(vectors[picks], "cpu"))[0].max())


def like_patches(n: int, dims: int) -> np.ndarray:
    """(n, dims) float32: 64 clusters in 32 dimensions plus noise in all, which is about how real patches lie."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((64, 32), dtype=np.float32)
    inner = centres[random.integers(0, 64, n)] + np.float32(0.5) * random.standard_normal((n, 32), dtype=np.float32)
    mixing = random.standard_normal((32, dims), dtype=np.float32) / np.float32(32**0.5)
    return np.asarray(inner @ mixing + np.float32(0.1) * random.standard_normal((n, dims), dtype=np.float32))


def noise(n: int, dims: int) -> np.ndarray:
    """(n, dims) float32 normal: the hardest case, no bound tells two patches apart."""
    return np.random.default_rng(0).standard_normal((n, dims), dtype=np.float32)


if __name__ == "__main__":
    typer.run(main)
