"""Files that a disk, a power cut or a person has changed: named, never served; what was before it serves meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.errors import DatabaseUnusable
from service.settings import Settings
from tests.conftest import settings_for
from tests.kit.parts import ROI, assert_problem, calibrate, fit, infer, serving, state, upload
from tests.kit.twin import TwinEngine

FILES = ["memory_bank.safetensors", "model.json", "calibration.json"]


def flip_a_bit(path: Path, where: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * where)] ^= 4
    path.write_bytes(data)


def roi_folder(data_root: Path) -> Path:
    return data_root / "models" / "disc" / "ring"


@pytest.fixture(scope="module")
def twice_taught_root(taught_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_root = tmp_path_factory.mktemp("twice_taught") / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        assert fit(client, 4).json()["model_version"] == 2
        assert calibrate(client).status_code == 200
    return data_root


@pytest.fixture
def twice_taught(twice_taught_root: Path, tmp_path: Path) -> Path:
    """Versions 1 and 2, both calibrated; 2 serves. A copy of this test's own."""
    return shutil.copytree(twice_taught_root, tmp_path / "data")


@pytest.mark.parametrize("where", [0.02, 0.5, 0.99])
@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_lets_the_earlier_version_serve_and_health_says_so(
    twice_taught: Path, file: str, where: float
) -> None:
    flip_a_bit(roi_folder(twice_taught) / "v0002" / file, where)
    with serving(settings_for(twice_taught)) as client:
        answer = infer(client).json()
        assert (answer["verdict"], answer["model_version"]) == ("OK", 1)
        health = client.get("/health").json()
        assert health["status"] == "degraded"
        assert "Version 2 of disc/ring cannot be used" in health["reason"]
        said = state(client)
        assert (said["model_version"], said["serving_version"], said["calib_present"]) == (2, 1, True)
        assert "Version 1 serves meanwhile" in said["problem"]
        assert client.post("/models/rollback", json=ROI).json()["model_version"] == 1
        assert infer(client).status_code == 200
        assert client.get("/health").json()["status"] == "ok"


@pytest.mark.parametrize("file", FILES)
def test_without_an_earlier_version_a_flipped_bit_is_a_named_error_until_taught_again(
    taught: TestClient, data_root: Path, file: str
) -> None:
    flip_a_bit(roi_folder(data_root) / "v0001" / file)
    problem = assert_problem(infer(taught), 500, "Version 1 of disc/ring cannot be used")
    assert problem["code"] == "model_damaged"
    assert taught.get("/health").json()["status"] == "degraded"
    assert "Version 1" in taught.get("/health").json()["reason"]
    said = state(taught)
    assert (said["memory_fitted"], said["model_version"], said["serving_version"]) == (False, 1, None)
    assert "cannot be used" in said["problem"]
    assert fit(taught, 4).status_code == 200
    assert calibrate(taught).status_code == 200
    assert infer(taught).json()["verdict"] == "OK"
    assert taught.get("/health").json()["status"] == "ok"


@pytest.mark.parametrize("file", ["memory_bank.safetensors", "model.json"])
def test_a_file_that_is_gone_or_cut_is_a_named_error(taught: TestClient, data_root: Path, file: str) -> None:
    path = roi_folder(data_root) / "v0001" / file
    for damage in (b"", path.read_bytes()[:100], b"\0" * 4096, b"[]", b"null"):
        path.write_bytes(damage)
        assert_problem(infer(taught), 500, "Version 1")
    path.unlink()
    assert_problem(infer(taught), 500, "Version 1")


@pytest.mark.parametrize("pointer", [b"v9999\n", b"", b"\0\0\0\0\0\0", b"\xff\xfe\xff", b"v1", b"../v0001"])
def test_a_pointer_to_nowhere_lets_the_latest_that_served_serve(twice_taught: Path, pointer: bytes) -> None:
    (roi_folder(twice_taught) / "current").write_bytes(pointer)
    with serving(settings_for(twice_taught)) as client:
        assert infer(client).json()["model_version"] == 2
        health = client.get("/health").json()
        assert health["status"] == "degraded"
        assert "pointer of disc/ring" in health["reason"]
        assert "pointer" in state(client)["problem"]
        assert client.post("/models/activate", json={**ROI, "model_version": 2}).status_code == 200
        assert infer(client).json()["model_version"] == 2
        assert client.get("/health").json()["status"] == "ok"


def test_rolling_back_repairs_a_pointer_to_nowhere(twice_taught: Path) -> None:
    (roi_folder(twice_taught) / "current").write_bytes(b"v9999")
    with serving(settings_for(twice_taught)) as client:
        assert client.post("/models/rollback", json=ROI).json()["model_version"] == 2
        assert client.get("/health").json()["status"] == "ok"


def test_an_activation_that_was_cut_short_is_nothing_to_go_back_to(twice_taught: Path) -> None:
    """The mark is written before the pointer: a power cut between them leaves version 3 marked, never served."""
    with serving(settings_for(twice_taught)) as client:
        fit(client, 3, stage="true")
    marked = roi_folder(twice_taught) / "v0003" / "activated"
    with serving(settings_for(twice_taught)) as client:
        marked.write_text("00000003 2026-01-01T00:00:00+00:00")  # by another process, which then died
        assert client.post("/models/rollback", json=ROI).json()["model_version"] == 1
        assert not marked.exists()
        assert client.post("/models/activate", json={**ROI, "model_version": 2}).status_code == 200
    marked.write_text("00000099 2026-01-01T00:00:00+00:00")
    with serving(settings_for(twice_taught)) as client:
        assert not marked.exists()
        fit(client, 3)
        assert client.post("/models/rollback", json=ROI).json()["model_version"] == 2


def test_a_calibration_made_while_an_earlier_version_serves_is_used_at_once(twice_taught: Path) -> None:
    flip_a_bit(roi_folder(twice_taught) / "v0002" / "model.json")
    with serving(settings_for(twice_taught)) as client:
        before = infer(client).json()
        answer = calibrate(client, ok_scores=[8.0, 8.1, 8.2]).json()
        assert (before["model_version"], answer["model_version"]) == (1, 1)
        assert infer(client).json()["threshold"] == answer["threshold"] != before["threshold"]


def test_a_model_made_with_other_weights_is_refused(data_root: Path) -> None:
    with serving(settings_for(data_root), lambda: TwinEngine("f" * 64)) as client:
        problem = assert_problem(infer(client), 500, "other weights", "f" * 12, "0" * 12)
        assert problem["code"] == "foreign_backbone"
        assert "other weights" in client.get("/health").json()["reason"]
        assert "other weights" in state(client)["problem"]
        fit(client, 4)
        calibrate(client)
        assert infer(client).json()["verdict"] == "OK"
    with serving(settings_for(data_root)) as client:  # the weights of before are back: so is version 1
        assert infer(client).json()["model_version"] == 1
        assert "other weights" in state(client)["problem"]


def test_a_damaged_version_cannot_be_activated(twice_taught: Path) -> None:
    flip_a_bit(roi_folder(twice_taught) / "v0001" / "memory_bank.safetensors")
    with serving(settings_for(twice_taught)) as client:
        assert_problem(client.post("/models/activate", json={**ROI, "model_version": 1}), 500, "Version 1")
        assert infer(client).json()["model_version"] == 2
        flip_a_bit(roi_folder(twice_taught) / "v0001" / "model.json")
        listed = client.get("/models", params=ROI).json()["models"]
        assert [bool(model["damaged"]) for model in listed] == [True, False]


def test_a_damaged_sample_is_named_and_can_be_deleted(client: TestClient, settings: Settings) -> None:
    files = upload(client, 3).json()["files"]
    folder = settings.data_root / "datasets" / "disc" / "ring" / "ok"
    (folder / files[1]).with_suffix(".json").write_bytes(b'{"filename": "x"')
    form = {**ROI, "mm_per_px": 0.5, "use_dataset": "true"}
    assert_problem(client.post("/fit_ok", data=form), 500, files[1], "delete it")
    assert_problem(client.get("/datasets/meta", params={**ROI, "label": "ok", "filename": files[1]}), 500, files[1])
    assert client.delete("/datasets/file", params={**ROI, "label": "ok", "filename": files[1]}).status_code == 200
    flip_a_bit(folder / files[0])
    assert_problem(client.post("/fit_ok", data=form), 422, files[0])
    (folder / files[0]).unlink()
    assert_problem(client.post("/fit_ok", data=form), 500, files[0])
    client.delete("/datasets/file", params={**ROI, "label": "ok", "filename": files[0]})
    assert client.post("/fit_ok", data=form).json()["n_images"] == 1


def test_files_that_are_no_samples_are_left_alone(client: TestClient, settings: Settings) -> None:
    upload(client, 2)
    folder = settings.data_root / "datasets" / "disc" / "ring" / "ok"
    (folder / "notes.json").write_text("{}")
    (folder / "Thumbs.db").write_bytes(b"x")
    assert client.get("/datasets/list", params=ROI).json()["classes"]["ok"]["count"] == 2
    assert client.delete("/datasets/clear", params={**ROI, "label": "ok"}).json()["deleted"] == 2
    assert sorted(path.name for path in folder.iterdir()) == ["Thumbs.db", "notes.json"]


def test_a_damaged_database_is_named_when_the_service_starts(data_root: Path) -> None:
    (data_root / "records.sqlite").write_bytes(b"this was a database" * 500)
    for leftover in data_root.glob("records.sqlite-*"):
        leftover.unlink()
    with pytest.raises(DatabaseUnusable, match="restore a backup"), serving(settings_for(data_root)):
        pass
