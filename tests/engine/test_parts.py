"""Pictures that show one part are found, and whole parts are held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.cli.teach_inspect import pictures_by_part
from service.engine.parts import folds_of_parts, group_by_part
from service.errors import InvalidField


def patches(n_parts: int, copies: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (m, 32) and owners of `n_parts` parts, `copies` pictures of each that differ by `noise`."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(n_parts):
        part = rng.normal(size=(60, 32))
        pictures += [part + noise * rng.normal(size=part.shape) for _ in range(copies)]
    vectors = np.concatenate(pictures).astype(np.float32)
    return vectors, np.repeat(np.arange(len(pictures), dtype=np.int32), 60)


def test_different_parts_are_told_apart() -> None:
    vectors, owners = patches(20, 1, 0)
    assert group_by_part(vectors, owners, [""] * 20).tolist() == list(range(20))


def test_copies_of_a_part_are_found() -> None:
    vectors, owners = patches(8, 3, 0.2)
    assert group_by_part(vectors, owners, [""] * 24).tolist() == np.repeat(np.arange(8), 3).tolist()


def test_what_was_said_of_a_part_comes_first() -> None:
    """Copies with two part ids are two parts; pictures that look different are one when somebody says so."""
    vectors, owners = patches(8, 2, 0.1)
    named = [f"part {index}" for index in range(14)] + ["last", "last"]
    assert group_by_part(vectors, owners, named).tolist() == [*range(14), 14, 14]


def test_a_picture_without_a_part_id_joins_the_part_it_looks_like() -> None:
    vectors, owners = patches(8, 2, 0.1)
    named = ["a", "", "b", "", *[""] * 12]
    assert group_by_part(vectors, owners, named).tolist()[:4] == [0, 0, 1, 1]


def test_too_few_pictures_are_taken_as_they_are() -> None:
    vectors, owners = patches(1, 3, 0.1)
    assert group_by_part(vectors, owners, [""] * 3).tolist() == [0, 1, 2]


def test_folds_hold_whole_parts_and_every_picture_once() -> None:
    parts = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 6, 7])
    folds = folds_of_parts(parts, 4, 0)
    assert sorted(np.concatenate(folds).tolist()) == list(range(len(parts)))
    assert all(not set(parts[fold]) & set(np.delete(parts, fold)) for fold in folds)
    assert max(map(len, folds)) <= 4


def test_one_part_gives_nothing_to_hold_out() -> None:
    assert len(folds_of_parts(np.zeros(5, int), 10, 0)) < 2


def test_a_folder_of_its_own_names_the_part(tmp_path: Path) -> None:
    for name in ("loose.png", "disc 7/front.png", "disc 7/back.jpg", "disc 8/front.png", "notes/read me.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    paths, part_ids = pictures_by_part(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "loose.png", "disc 7/back.jpg", "disc 7/front.png", "disc 8/front.png",
    ]  # fmt: skip
    assert part_ids == ["", "disc 7", "disc 7", "disc 8"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="no pictures"):
        pictures_by_part(tmp_path)
