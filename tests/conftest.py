from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.kit import depth
from tests.kit.parts import calibrate, fit, serving

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext  # Windows has none

    from playwright.sync_api import Browser

# Real defect images and weights whose licences forbid shipping them: beside the checkout, or where this says.
SHARED = Path(os.environ.get("BRAKEDISC_SHARED", Path(__file__).parents[2] / "shared"))
DEEP_FOLDERS = {"deep", "windows"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="all rounds of tests that are marked `scaled`")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--deep"):
        os.environ[depth.VARIABLE] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in tests/deep and tests/windows is `deep` unless it says `fast` or `scaled` itself."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in DEEP_FOLDERS and not any(item.iter_markers("fast")) and not any(item.iter_markers("scaled")):
            item.add_marker("deep")


def settings_for(data_root: Path, **changes: object) -> Settings:
    values = {"BACKEND_DATA_ROOT": data_root, "BACKEND_MIN_FREE_MB": 0, "BACKEND_INPUT_SIZE": 128}
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that start within milliseconds: they are forked from one that has imported what they run. There is one
    such server in a test run, which has to know all of it from the beginning."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.kit.crash_worker", "tests.kit.audit_worker"])
    return context


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of a module. Not for the session: its event loop would run in the other tests, too."""
    from tests.kit.browser import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """For a socket, whose path has room for 100 characters: tmp_path has the names of user, worker and test in it."""
    with tempfile.TemporaryDirectory(prefix="bd-") as folder:
        yield Path(folder)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "data")


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A service that knows nothing yet."""
    with serving(settings) as client:
        yield client


@pytest.fixture(scope="session")
def taught_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root whose ROI disc/ring has one calibrated version. Copy it, do not change it."""
    data_root = tmp_path_factory.mktemp("taught") / "data"
    with serving(settings_for(data_root)) as client:
        assert fit(client, 6).status_code == 200
        assert calibrate(client).status_code == 200
    return data_root


@pytest.fixture
def data_root(taught_root: Path, settings: Settings) -> Path:
    """A taught and calibrated data root of this test's own."""
    shutil.copytree(taught_root, settings.data_root)
    return settings.data_root


@pytest.fixture
def taught(data_root: Path, settings: Settings) -> Iterator[TestClient]:
    """A service that knows the ROI disc/ring, calibrated."""
    assert data_root == settings.data_root
    with serving(settings) as client:
        yield client
