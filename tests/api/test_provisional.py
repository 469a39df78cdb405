"""Few samples are not a verdict: it is said everywhere, until somebody answers for it by name."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.cli.doctor import POOR, _models
from service.settings import Settings
from service.store.files import read_sealed, write_sealed
from tests.kit.parts import (
    FORM,
    ROI,
    assert_problem,
    audit_entries,
    calibrate,
    disc,
    good_pictures,
    infer,
    serving,
    upload,
)

WHY = "trial run, every part is measured by hand as well"


def accept(client: TestClient, **fields: Any) -> Any:
    return client.post("/models/accept", json={**ROI, "why": WHY, **fields}, headers={"X-Station": "desk-7"})


def csv_rows(client: TestClient) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get("/inspections", params={"format": "csv"}).text)))


def test_a_verdict_by_six_parts_is_provisional_wherever_it_is_told(taught: TestClient) -> None:
    answer = infer(taught).json()
    assert (answer["verdict"], answer["provisional"]) == ("OK", True)
    record = taught.get(f"/inspections/{answer['inspection_id']}").json()
    assert record["provisional"] is record["params"]["provisional"] is True
    assert taught.get("/inspections").json()["inspections"][0]["provisional"] is True
    assert csv_rows(taught)[0]["provisional"] == "True"
    assert taught.get("/models", params=ROI).json()["models"][0]["provisional"] is True
    assert 'inspections_provisional_total{roi="ring",role="disc"} 1.0' in taught.get("/metrics").text


def test_accepted_by_name_it_is_not_provisional_any_more(taught: TestClient, settings: Settings) -> None:
    before = infer(taught).json()
    accepted = accept(taught).json()["accepted"]
    assert (accepted["by"], accepted["station"], accepted["why"]) == ("anybody", "desk-7", WHY)
    after = infer(taught).json()
    assert (before["provisional"], after["provisional"]) == (True, False)
    assert after["threshold"] == before["threshold"]
    assert [row["provisional"] for row in csv_rows(taught)] == ["True", "False"]
    entry = audit_entries(settings.data_root)[-1]
    assert (entry.action, entry.new["why"], entry.station) == ("accept_provisional", WHY, "desk-7")
    manifest = taught.get("/manifest", params=ROI).json()
    assert manifest["calibration"]["provisional"] is True
    assert manifest["calibration"]["accepted"]["why"] == WHY
    assert_problem(accept(taught), 409, "not provisional")


def test_calibrating_again_takes_the_acceptance_back(taught: TestClient) -> None:
    assert accept(taught).status_code == 200
    assert calibrate(taught).json()["provisional"] is True
    assert infer(taught).json()["provisional"] is True


def test_an_acceptance_survives_a_restart(taught: TestClient, settings: Settings) -> None:
    assert accept(taught).status_code == 200
    with serving(settings) as again:
        assert infer(again).json()["provisional"] is False


def test_what_is_not_calibrated_cannot_be_accepted(client: TestClient) -> None:
    assert_problem(accept(client), 400, "memory not fitted")
    assert client.post("/fit_ok", data=FORM, files=good_pictures(4)).status_code == 200
    assert_problem(accept(client), 428, "not calibrated")
    assert_problem(accept(client, why=""), 422, "why")


def test_enough_parts_are_no_provisional_verdict(taught: TestClient) -> None:
    """Scores of 59 parts that somebody measured; of 59 pictures of 5 parts it is provisional again."""
    good = np.random.default_rng(0).lognormal(1, 0.1, 59).tolist()
    assert calibrate(taught, ok_scores=good, preview=True).json()["provisional"] is False
    parts = [index % 5 for index in range(59)]
    few = calibrate(taught, ok_scores=good, ok_parts=parts, preview=True).json()
    assert (few["provisional"], few["n_ok"], few["n_ok_parts"]) == (True, 59, 5)
    assert any("look like 5 parts" in warning for warning in few["warnings"])
    assert_problem(calibrate(taught, ok_scores=good, ok_parts=parts[:3], preview=True), 422, "ok_parts")


def test_pictures_sent_with_their_part_ids_are_held_out_by_part(client: TestClient) -> None:
    names = ["A", "A", "B", "B", "C", ""]
    answer = client.post("/fit_ok", data={**FORM, "part_ids": names}, files=good_pictures(6)).json()
    assert (answer["n_images"], answer["n_parts"]) == (6, 4)
    scores = client.get("/models/scores", params=ROI).json()["ok"]
    assert [score["part"] for score in scores] == [0, 0, 1, 1, 2, 3]
    assert calibrate(client).json()["n_ok_parts"] == 4
    short = client.post("/fit_ok", data={**FORM, "part_ids": names[:2]}, files=good_pictures(6))
    assert_problem(short, 422, "part_ids: 2 for 6 images")


def test_samples_know_their_part_from_their_metadata(client: TestClient) -> None:
    metas = [json.dumps({"part_id": name}) for name in ("A", "A", "B", "C", "D")]
    assert upload(client, 5, metas=metas).status_code == 200
    assert client.post("/fit_ok", data={**FORM, "use_dataset": "true"}).json()["n_parts"] == 4


def test_copies_of_one_picture_are_one_part(client: TestClient) -> None:
    files = [("images", (f"{seed}-{copy}.png", disc(seed))) for seed in range(6) for copy in range(3)]
    answer = client.post("/fit_ok", data=FORM, files=files).json()
    assert (answer["n_images"], answer["n_parts"]) == (18, 6)
    found = calibrate(client).json()
    assert any("18 good pictures, but they look like 6 parts" in warning for warning in found["warnings"])


@pytest.fixture
def old_root(data_root: Path) -> Path:
    """As a version before parts were held out whole has left it."""
    for path in data_root.rglob("v0001/model.json"):
        stored = read_sealed(path)
        write_sealed(path, {name: value for name, value in stored.items() if name not in ("parts", "level")})
    for path in data_root.rglob("calibration.json"):
        stored = read_sealed(path)
        new = ("provisional", "accepted", "n_ok_parts", "n_ng_parts", "n_ok_rejected", "n_ng_missed")
        write_sealed(path, {name: value for name, value in stored.items() if name not in new})
    return data_root


def test_a_calibration_of_before_stays_in_force_and_says_what_it_is(old_root: Path, settings: Settings) -> None:
    assert old_root == settings.data_root
    with serving(settings) as client:
        answer = infer(client).json()
        assert (answer["verdict"], answer["provisional"]) == ("OK", False)
        [version] = client.get("/models", params=ROI).json()["models"]
        assert (version["old_calibration"], version["provisional"]) == (True, False)
        assert any("was calibrated the old way" in said for said in client.get("/health").json()["warnings"])
    found = _models(settings)
    assert found.state == POOR
    assert "1 calibrated the old way (disc/ring)" in found.found


def test_taught_anew_it_is_gone(old_root: Path, settings: Settings) -> None:
    assert old_root == settings.data_root
    with serving(settings) as client:
        assert client.post("/fit_ok", data=FORM, files=good_pictures(6)).status_code == 200
        assert calibrate(client).status_code == 200
        infer(client)
        assert client.get("/health").json()["warnings"] == []
