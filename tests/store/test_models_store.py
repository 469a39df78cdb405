"""Versions of a model: publish, activate, roll back; what serves, and what belongs to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from tests.conftest import settings_for
from tests.kit.parts import FORM, ROI, assert_problem, calibrate, disc, fit, infer, serving, spoiled_disc, state

_watching: list[str] | None = None


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and _watching is not None:
        _watching.append(str(args[0]))


sys.addaudithook(_note)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Every file any Python code of this process opens meanwhile."""
    global _watching
    _watching = []
    try:
        yield _watching
    finally:
        _watching = None


def versions(client: TestClient) -> list[tuple[int, bool, bool]]:
    found = client.get("/models", params=ROI).json()["models"]
    return [(model["model_version"], model["current"], model["calibrated"]) for model in found]


def test_a_new_fit_serves_at_once_and_has_no_calibration(taught: TestClient) -> None:
    assert versions(taught) == [(1, True, True)]
    assert fit(taught, 3).json()["model_version"] == 2
    assert versions(taught) == [(1, False, True), (2, True, False)]
    assert_problem(infer(taught), 428, "Version 2")
    said = state(taught)
    assert (said["memory_fitted"], said["calib_present"], said["model_version"]) == (True, False, 2)
    assert said["versions"] == [1, 2]


def test_a_staged_candidate_does_not_serve_until_it_is_activated(taught: TestClient) -> None:
    before = infer(taught).json()
    staged = fit(taught, 3, stage="true").json()
    assert (staged["model_version"], staged["active"]) == (2, False)
    after = infer(taught).json()
    assert (after["model_version"], after["score"]) == (1, before["score"])
    candidate = calibrate(taught, model_version=2).json()
    assert candidate["model_version"] == 2
    assert infer(taught).json()["threshold"] == before["threshold"]
    activated = taught.post("/models/activate", json={**ROI, "model_version": 2}).json()
    assert (activated["model_version"], activated["calibrated"]) == (2, True)
    answer = infer(taught).json()
    assert (answer["model_version"], answer["threshold"]) == (2, candidate["threshold"])


def test_a_staged_candidate_of_a_new_roi_leaves_it_not_fitted(client: TestClient) -> None:
    fit(client, 3, stage="true")
    assert_problem(infer(client), 400, "memory not fitted")
    assert calibrate(client, model_version=1).status_code == 200
    assert_problem(client.post("/models/rollback", json=ROI), 409, "no earlier version")


def test_rolling_back_returns_to_what_served_before_with_its_calibration(taught: TestClient) -> None:
    threshold = infer(taught).json()["threshold"]
    fit(taught, 3)
    fit(taught, 3, stage="true")  # version 3 never served: it is nothing to go back to
    rolled = taught.post("/models/rollback", json=ROI).json()
    assert (rolled["model_version"], rolled["calibrated"]) == (1, True)
    assert infer(taught).json()["threshold"] == threshold
    assert_problem(taught.post("/models/rollback", json=ROI), 409, "no earlier version")
    assert fit(taught, 3).json()["model_version"] == 4
    assert taught.post("/models/rollback", json=ROI).json()["model_version"] == 1


def test_rolling_back_goes_by_what_served_not_by_number(taught: TestClient) -> None:
    fit(taught, 3)
    fit(taught, 3)
    taught.post("/models/activate", json={**ROI, "model_version": 1})
    assert taught.post("/models/rollback", json=ROI).json()["model_version"] == 3
    assert taught.post("/models/rollback", json=ROI).json()["model_version"] == 2


def test_what_is_not_there_cannot_be_activated(taught: TestClient) -> None:
    assert_problem(taught.post("/models/activate", json={**ROI, "model_version": 9}), 404, "version 9")
    assert_problem(taught.post("/models/activate", json={**ROI, "roi_id": "x", "model_version": 1}), 404)
    assert_problem(taught.post("/models/rollback", json={**ROI, "roi_id": "x"}), 409)


def test_a_calibration_belongs_to_its_version(taught: TestClient, data_root: Path) -> None:
    fit(taught, 3)
    roi = data_root / "models" / "disc" / "ring"
    (roi / "v0002" / "calibration.json").write_bytes((roi / "v0001" / "calibration.json").read_bytes())
    with serving(settings_for(data_root)) as restarted:
        answer = infer(restarted).json()
        assert answer["model_version"] == 1
        assert "belongs to another model" in state(restarted)["problem"]


def test_a_model_copied_to_another_roi_is_not_taken_for_its_own(taught: TestClient, data_root: Path) -> None:
    (data_root / "models" / "disc" / "ring").rename(data_root / "models" / "disc" / "other")
    answer = infer(taught, roi_id="other")
    assert_problem(answer, 500, "belongs to another model")


def test_the_second_inspection_reads_no_file_of_the_model(taught: TestClient) -> None:
    with opened_files() as first:
        assert infer(taught).json()["verdict"] == "OK"
    assert any("memory_bank.safetensors" in name for name in first)
    with opened_files() as second:
        assert infer(taught).json()["verdict"] == "OK"
        assert infer(taught, spoiled_disc(50)).json()["verdict"] == "NG"
    assert [name for name in second if "models" in name] == []


def test_a_changed_pointer_is_noticed_by_a_running_service(taught: TestClient, data_root: Path) -> None:
    infer(taught)
    with serving(settings_for(data_root)) as other_process:
        threshold = calibrate(other_process, ok_scores=[7.0, 7.1, 7.2]).json()["threshold"]
        assert infer(taught).json()["threshold"] == threshold
        fit(other_process, 3)
        assert_problem(infer(taught), 428, "Version 2")
        other_process.post("/models/rollback", json=ROI)
        assert infer(taught).json()["model_version"] == 1


def test_models_of_many_rois_are_dropped_from_memory_and_come_back(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_MODELS_IN_MEMORY=2)) as client:
        for roi in ("a", "b", "c"):
            assert fit(client, 2, roi_id=roi).status_code == 200
        for roi in ("a", "b", "c", "a", "c", "b"):
            assert infer(client, roi_id=roi, allow_uncalibrated="true").status_code == 200
            assert client.get("/health").json()["models_loaded"] <= 2
        loaded = [line for line in client.get("/metrics").text.splitlines() if line.startswith("model_info{")]
        assert len(loaded) == 2
        assert [model["roi_id"] for model in client.get("/models").json()["models"]] == ["a", "b", "c"]
        assert [model["roi_id"] for model in client.get("/models?role_id=disc&roi_id=b").json()["models"]] == ["b"]
        assert client.get("/models?role_id=nobody").json()["models"] == []


def test_the_manifest_tells_what_the_model_was_made_of(taught: TestClient) -> None:
    manifest = taught.get("/manifest", params=ROI).json()
    assert manifest["model"]["recipe"]["backbone"] == "twin"
    assert manifest["model"]["recipe"]["weights_sha256"] == "0" * 64
    assert manifest["calibration"]["threshold"] == infer(taught).json()["threshold"]
    empty = taught.get("/manifest", params={"role_id": "nobody", "roi_id": "none"}).json()
    assert (empty["memory_fitted"], empty["calib_present"], empty["model"]) == (False, False, None)


def test_the_same_pictures_give_the_same_model(client: TestClient) -> None:
    first = fit(client, 4).json()["ok_scores"]
    score = infer(client, allow_uncalibrated="true").json()["score"]
    assert fit(client, 4).json()["ok_scores"] == first
    assert infer(client, allow_uncalibrated="true").json()["score"] == score


def test_pictures_of_several_shapes_and_sizes_can_be_taught_together(client: TestClient) -> None:
    for seed, meta in enumerate(('{"shape":{"kind":"rect","x":0,"y":0,"w":256,"h":128}}', "{}", "{}")):
        form = {**ROI, "mm_per_px": FORM["mm_per_px"], "metas": meta}
        assert client.post("/datasets/ok/upload", data=form, files={"images": disc(seed)}).status_code == 200
    fitted = client.post("/fit_ok", data={**ROI, "mm_per_px": FORM["mm_per_px"], "use_dataset": "true"})
    assert fitted.status_code == 200, fitted.text
    assert fitted.json()["n_images"] == 3
