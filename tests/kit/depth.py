"""How deep the tests look: a few rounds of everything in the fast run, all of them with `--deep`."""

from __future__ import annotations

import os

# `make test-deep` gives `--deep`, and runs what is marked `deep` or `scaled`.
VARIABLE = "TESTS_DEEP"


def deep() -> bool:
    return VARIABLE in os.environ


def rounds(few: int, all_of_them: int) -> int:
    """For tests marked `scaled`."""
    return all_of_them if deep() else few
