"""The proof that the setup works, on a Windows made for it: `make windows-test`. Not part of the usual tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Machine

SETUP = os.environ.get("WINDOWS_SETUP", "")
collect_ignore_glob = [] if SETUP else ["test_*.py"]


@pytest.fixture(scope="session")
def setup() -> Path:
    """The setup to prove; beside it `newer-setup.exe` and `broken-setup.exe`."""
    return Path(SETUP).resolve()


@pytest.fixture(scope="session")
def programs() -> Path:
    """The programs as the setup brings them, in a folder."""
    return Path(os.environ["WINDOWS_PROGRAMS"]).resolve()


@pytest.fixture(scope="session")
def machine(setup: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    root = Path(os.environ.get("WINDOWS_WINE_ROOT", "/srv/brakedisc-wine"))
    folder = Path(os.environ.get("WINDOWS_FOLDER") or tmp_path_factory.mktemp("windows"))
    made = Machine(root, folder, setup.parent, programs)
    yield made
    made.close()
