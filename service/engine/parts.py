"""Which good pictures show one and the same part: what was said of them, and what their patches give away.

A threshold promises something about the next part. Pictures of a part that the model knows from other pictures score
lower than that part will, so whole parts are held out. Pure numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Pictures nearer than this share of what is usual between two pictures show one part, or copies of one picture.
# docs/accuracy.md has what other shares give.
SAME_PART = 0.7
# Patches of a picture that are compared, in random directions; fewer for many pictures, which bounds time.
PATCHES, MOST_COMPARED = 200, 20_000
DIMS = 128
# Below this nothing is usual between two pictures.
FEWEST = 6


def group_by_part(vectors: np.ndarray, owners: np.ndarray, part_ids: Sequence[str]) -> np.ndarray:
    """Number of its part, int32 (n,), of each of n pictures: those of one part id, or near-copies of each other.

    `vectors` (m, d) are patches, `owners` (m,) the picture of each. Pictures of two part ids are never one part; one
    without an id joins the part that it looks like.
    """
    n = len(part_ids)
    groups = [[index for index in range(n) if part_ids[index] == name] for name in dict.fromkeys(part_ids) if name]
    groups += [[index] for index in range(n) if not part_ids[index]]
    if n >= FEWEST and "" in part_ids:
        groups = _join(
            groups, [bool(part_ids[group[0]]) for group in groups], _relative(_distances(vectors, owners, n))
        )
    parts = np.zeros(n, np.int32)
    for number, group in enumerate(sorted(groups, key=min)):
        parts[group] = number
    return parts


def folds_of_parts(parts: np.ndarray, most: int, seed: int) -> list[np.ndarray]:
    """Pictures of whole parts in at most `most` folds of about one size; fewer than two when there is one part."""
    sizes = np.bincount(parts)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    folds: list[list[int]] = [[] for _ in range(min(most, len(sizes)))]
    for part in sorted(shuffled.tolist(), key=lambda number: -sizes[number]):
        min(folds, key=len).extend(np.flatnonzero(parts == part).tolist())
    return [np.array(sorted(fold)) for fold in folds]


def _distances(vectors: np.ndarray, owners: np.ndarray, n: int) -> np.ndarray:
    """(n, n): mean distance of a picture's patches to the nearest of another's, both ways; infinite to itself."""
    rng = np.random.default_rng(0)
    width = vectors.shape[1]
    axes = rng.standard_normal((width, min(DIMS, width))).astype(np.float32)
    most = max(8, min(PATCHES, MOST_COMPARED // n))
    patches = [rng.permutation(np.flatnonzero(owners == index))[:most] for index in range(n)]
    projected = [vectors[rows] @ axes for rows in patches]
    norms = [np.einsum("ij,ij->i", rows, rows) for rows in projected]
    away = np.full((n, n), np.inf)
    for one in range(n):
        for other in range(one):
            squared = norms[one][:, None] + norms[other] - 2 * projected[one] @ projected[other].T
            nearest = np.sqrt(np.maximum(squared.min(1), 0)).mean() + np.sqrt(np.maximum(squared.min(0), 0)).mean()
            away[one, other] = away[other, one] = nearest / 2
    return away


def _relative(away: np.ndarray) -> np.ndarray:
    """As a share of what is usual for the two pictures: the median distance to all others."""
    usual = np.array([np.median(row[np.isfinite(row)]) for row in away])
    shares: np.ndarray = away / np.sqrt(np.outer(usual, usual))
    return shares


def _join(groups: list[list[int]], named: list[bool], away: np.ndarray) -> list[list[int]]:
    """Average linkage: the two groups that lie nearest on average become one, until none are as near as SAME_PART."""
    between = np.array([[away[np.ix_(a, b)].mean() if a is not b else np.inf for b in groups] for a in groups])
    between[np.ix_(named, named)] = np.inf  # two part ids are two parts, however alike
    sizes = [len(group) for group in groups]
    while len(groups) > 1 and between.min() < SAME_PART:
        kept, gone = sorted(divmod(int(between.argmin()), len(between)))
        joined = (sizes[kept] * between[kept] + sizes[gone] * between[gone]) / (sizes[kept] + sizes[gone])
        between[kept], between[:, kept] = joined, joined
        between[kept, kept] = np.inf
        between = np.delete(np.delete(between, gone, 0), gone, 1)
        sizes[kept] += sizes.pop(gone)
        groups = [
            group + groups[gone] if index == kept else group for index, group in enumerate(groups) if index != gone
        ]
    return groups
