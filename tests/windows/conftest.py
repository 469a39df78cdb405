"""The proof that the setup works, on a Windows made for it: `make windows-test`.

Of it, only test_light.py is one of the usual tests: it builds what it needs, the product without its engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from machine import Machine

SETUP = os.environ.get("WINDOWS_SETUP", "")
collect_ignore = ["test_light.py"] if SETUP else ["test_icon.py", "test_installed.py", "test_places.py"]


@pytest.fixture(scope="session")
def wine_root() -> Path:
    return Path(os.environ.get("WINDOWS_WINE_ROOT", "/srv/brakedisc-wine"))


@pytest.fixture(scope="session")
def setup() -> Path:
    """The setup to prove; beside it `newer-setup.exe` and `broken-setup.exe`."""
    return Path(SETUP).resolve()


@pytest.fixture(scope="session")
def programs() -> Path:
    """The programs as the setup brings them, in a folder."""
    return Path(os.environ["WINDOWS_PROGRAMS"]).resolve()


@pytest.fixture(scope="session")
def machine(
    wine_root: Path, setup: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    folder = Path(os.environ.get("WINDOWS_FOLDER") or tmp_path_factory.mktemp("windows"))
    made = Machine(wine_root, folder, setup.parent, programs)
    yield made
    made.close()
