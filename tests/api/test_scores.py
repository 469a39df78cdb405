"""What a threshold is chosen from and what one's own would mean: scores out of sample, NG samples, previews."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.calibration.threshold import calibrate as computed
from service.loaded.description import Description
from service.settings import Settings
from service.store.files import read_sealed
from service.teaching import scores as scoring
from tests.kit.parts import (
    FORM,
    RING,
    ROI,
    SCALE,
    assert_problem,
    audit_entries,
    calibrate,
    fit,
    infer,
    spoiled_disc,
    state,
    upload,
)

FROM_DATASET = {**ROI, "mm_per_px": SCALE, "use_dataset": "true"}
SHAPE = json.dumps({"shape": RING})
GOOD = [2.0, 2.1, 2.2, 2.3, 2.4]


def scores(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/models/scores", params={**ROI, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def add_bad(client: TestClient, *seeds: int) -> list[str]:
    files = [("images", (f"bad{seed}.png", spoiled_disc(seed))) for seed in seeds]
    form = {**ROI, "mm_per_px": SCALE, "metas": [SHAPE] * len(seeds)}
    added: list[str] = client.post("/datasets/ng/upload", data=form, files=files).json()["files"]
    return added


@pytest.fixture
def from_samples(client: TestClient) -> list[str]:
    """The OK samples that the service was taught with."""
    files: list[str] = upload(client, 5, metas=[SHAPE] * 5).json()["files"]
    assert client.post("/fit_ok", data=FROM_DATASET).status_code == 200
    return files


def test_scores_name_the_samples_a_version_was_taught_with_and_the_ng_samples_there_are_now(
    client: TestClient, from_samples: list[str]
) -> None:
    bad = add_bad(client, 60, 61)
    found = scores(client)
    assert [score["filename"] for score in found["ok"]] == from_samples
    assert [score["filename"] for score in found["ng"]] == bad
    known = client.get("/manifest", params=ROI).json()["model"]["ok_scores"]
    assert [score["score"] for score in found["ok"]] == known
    judged = client.post("/infer_dataset", json=ROI).json()["results"]
    assert [score["score"] for score in found["ng"]] == [one["score"] for one in judged if one["label"] == "ng"]
    assert (found["model_version"], found["area_mm2_thr"], found["threshold"]) == (1, 1.0, None)
    assert found["uncalibrated_scale"] > 0
    threshold = calibrate(client).json()["threshold"]
    assert scores(client)["threshold"] == threshold


def test_scores_are_measured_with_the_area_in_force(client: TestClient, from_samples: list[str]) -> None:
    assert len(from_samples) == 5
    before = add_bad(client, 60)
    first = scores(client)
    assert calibrate(client, area_mm2_thr=40.0).status_code == 200
    second = scores(client)
    assert (first["area_mm2_thr"], second["area_mm2_thr"]) == (1.0, 40.0)
    assert [one["filename"] for one in second["ng"]] == before
    for label in ("ok", "ng"):
        assert all(new["score"] < old["score"] for new, old in zip(second[label], first[label], strict=True))


def test_a_picture_that_is_no_sample_any_more_has_a_score_and_no_name(
    client: TestClient, from_samples: list[str]
) -> None:
    client.delete("/datasets/file", params={**ROI, "label": "ok", "filename": from_samples[2]})
    found = scores(client)["ok"]
    assert [score["filename"] for score in found] == [*from_samples[:2], None, *from_samples[3:]]
    assert found[2]["score"] > 0


def test_pictures_that_were_sent_have_no_name(taught: TestClient) -> None:
    assert [score["filename"] for score in scores(taught)["ok"]] == [None] * 6


def test_ng_samples_are_scored_once_for_a_version(
    client: TestClient, from_samples: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    real = scoring.examine_sample

    def counting(*args: Any) -> Any:
        looked.append(args[3].filename)
        return real(*args)

    monkeypatch.setattr(scoring, "examine_sample", counting)
    bad = add_bad(client, 60, 61)
    first = scores(client)
    assert looked == bad
    assert scores(client) | {"request_id": ""} == first | {"request_id": ""}
    assert looked == bad
    more = add_bad(client, 62)
    assert len(scores(client)["ng"]) == 3
    assert looked == [*bad, *more]
    assert client.post("/fit_ok", data=FROM_DATASET).json()["model_version"] == 2
    assert len(scores(client)["ng"]) == 3
    assert looked == [*bad, *more, *bad, *more]
    assert scores(client, model_version=1)["ng"][:2] == first["ng"]
    assert len(looked) == 6
    assert len(from_samples) == 5


def test_a_model_of_before_samples_had_names_stays_readable(data_root: Path) -> None:
    stored = read_sealed(next(data_root.rglob("v0001/model.json")))
    for picture in stored["pictures"]:
        del picture["name"]
    assert [picture.name for picture in Description.from_json(stored).pictures] == [""] * 6


def test_scores_of_what_is_not_there_are_refused(client: TestClient) -> None:
    assert_problem(client.get("/models/scores", params=ROI), 400, "memory not fitted")
    assert fit(client, 4).status_code == 200
    assert_problem(client.get("/models/scores", params={**ROI, "model_version": 9}), 404, "9")


def test_a_threshold_of_ones_own_is_stored_with_what_it_does_to_these_samples(taught: TestClient) -> None:
    add_bad(taught, 60, 61)
    found = scores(taught)
    lowest = min(score["score"] for score in found["ng"])
    answer = calibrate(taught, threshold=lowest * 1.0001).json()
    assert (answer["threshold"], answer["method"]) == (lowest * 1.0001, "manual")
    assert (answer["n_ok"], answer["n_ng"], answer["n_ng_missed"], answer["n_ok_rejected"]) == (6, 2, 1, 0)
    assert answer["miss_rate"] is answer["miss_ci95"] is answer["false_reject_rate"] is None
    assert any("1 NG samples lie below this threshold" in warning for warning in answer["warnings"])
    assert infer(taught).json()["threshold"] == lowest * 1.0001
    assert scores(taught)["threshold"] == lowest * 1.0001


def test_a_threshold_among_the_good_scores_says_that_good_parts_are_rejected() -> None:
    found = computed(GOOD, [], 99, own=2.25)
    assert (found.threshold, found.n_ok_rejected) == (2.25, 2)
    assert "2 good samples reach this threshold" in found.warnings[0]
    odd = computed([*GOOD] * 4 + [9.0], [], 99, own=10.0)
    assert any("1 good samples look unlike all others: " in warning for warning in odd.warnings)
    assert any("were left out" in warning for warning in computed([*GOOD] * 4 + [9.0], [], 99).warnings)


@pytest.mark.parametrize("threshold", [0, -1, "NaN", 1e13])
def test_what_cannot_be_a_threshold_is_refused(taught: TestClient, threshold: object) -> None:
    assert_problem(calibrate(taught, threshold=threshold), 422, "threshold")


def test_a_preview_is_what_would_be_stored_and_stores_nothing(taught: TestClient, settings: Settings) -> None:
    add_bad(taught, 60)
    before, known = state(taught), len(audit_entries(settings.data_root))
    stamp = next(settings.data_root.rglob("calibration.json")).read_bytes()
    preview = calibrate(taught, threshold=7.5, area_mm2_thr=2.0, preview=True).json()
    assert next(settings.data_root.rglob("calibration.json")).read_bytes() == stamp
    assert len(audit_entries(settings.data_root)) == known
    assert {**state(taught), "request_id": ""} == {**before, "request_id": ""}
    adopted = calibrate(taught, threshold=7.5, area_mm2_thr=2.0).json()
    assert {**preview, "request_id": ""} == {**adopted, "request_id": ""}
    assert next(settings.data_root.rglob("calibration.json")).read_bytes() != stamp
    assert [entry.new["method"] for entry in audit_entries(settings.data_root)[known:]] == ["manual"]


def test_a_preview_of_sent_scores_needs_no_model_in_memory_and_no_engine(
    taught: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taught.post("/fit_ok", data={**FORM, "stage": "true"}, files=[
        ("images", (f"{seed}.png", spoiled_disc(seed))) for seed in range(4)
    ]).json()["model_version"] == 2  # fmt: skip
    models = taught.app.state.backend.kept.models  # type: ignore[attr-defined]
    monkeypatch.setattr(models, "load", lambda *_: pytest.fail("a memory bank was read"))
    sent = {"ok_scores": GOOD, "ng_scores": [9.0, 2.2], "threshold": 3.0, "preview": True}
    for version in (1, 2, None):
        answer = calibrate(taught, **sent, **({"model_version": version} if version else {}))
        assert answer.status_code == 200
        found = answer.json()
        assert (found["threshold"], found["method"], found["n_ng_missed"]) == (3.0, "manual", 1)
        assert found["model_version"] == (version or 1)
    assert_problem(calibrate(taught, **sent, model_version=7), 404, "7")
    assert_problem(calibrate(taught, **sent | {"mm_per_px": 0.1}), 409)


def test_a_preview_of_a_damaged_version_is_refused(taught: TestClient, settings: Settings) -> None:
    next(settings.data_root.rglob("v0001/model.json")).write_text("{}")
    sent = {"ok_scores": GOOD, "ng_scores": [], "preview": True, "model_version": 1}
    assert assert_problem(calibrate(taught, **sent), 500, "Version 1")["code"] == "model_damaged"


def test_while_training_is_frozen_one_may_look_and_not_adopt(taught: TestClient) -> None:
    taught.post("/admin/freeze", json={"why": "audit"})
    assert calibrate(taught, threshold=5.0, preview=True).json()["threshold"] == 5.0
    assert scores(taught)["ok"]
    assert_problem(calibrate(taught, threshold=5.0), 423)
