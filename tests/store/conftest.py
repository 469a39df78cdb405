"""A data root with a backup and another state since, for the tests of restoring."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.kit.parts import calibrate, fit, infer, serving, upload
from tests.kit.restored import content

if TYPE_CHECKING:
    pass


@pytest.fixture(scope="module")
def changed_root(taught_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a backup, and another state since: other samples, another model, one more inspection."""
    data_root = tmp_path_factory.mktemp("changed") / "data"
    shutil.copytree(taught_root, data_root)
    (data_root / "settings.env").write_text("BACKEND_LOG_LEVEL=INFO\n")
    with serving(settings_for(data_root)) as client:
        assert upload(client, 2).status_code == 200
        assert infer(client).json()["verdict"] == "OK"
        assert client.post("/backups").status_code == 200
    shutil.copytree(data_root / "models", data_root.parent / "then" / "models")
    shutil.copytree(data_root / "datasets", data_root.parent / "then" / "datasets")
    shutil.copy(data_root / "settings.env", data_root.parent / "then")
    with serving(settings_for(data_root)) as client:
        assert upload(client, 2, first=7).status_code == 200
        assert fit(client, 3).status_code == 200
        assert calibrate(client).status_code == 200
        assert infer(client).status_code == 200
    (data_root / "settings.env").write_text("BACKEND_LOG_LEVEL=DEBUG\n")
    return data_root


@pytest.fixture
def changed(changed_root: Path, tmp_path: Path) -> Path:
    shutil.copytree(changed_root, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def then(changed_root: Path) -> dict[str, bytes]:
    """What the backup holds."""
    return content(changed_root.parent / "then")
