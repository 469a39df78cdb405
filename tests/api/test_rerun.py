"""Stored inspections judged again by another version: which verdicts change. Nothing is recorded."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.conftest import settings_for
from tests.kit.parts import ROI, assert_problem, calibrate, disc, fit, infer, serving, spoiled_disc, wait_until


@pytest.fixture
def keeping(data_root: Path) -> Iterator[TestClient]:
    """A taught service that keeps the picture of every inspection."""
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=1)) as client:
        yield client


def ask(client: TestClient, version: int = 1, **fields: Any) -> Response:
    return client.post("/rerun", json={**ROI, "model_version": version, **fields})


def ended(client: TestClient, answer: Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    path = answer.headers["Location"]
    wait_until(lambda: client.get(path).json()["state"] != "running", 30)
    job: dict[str, Any] = client.get(path).json()
    return job


def rerun(client: TestClient, version: int = 1, **fields: Any) -> dict[str, Any]:
    job = ended(client, ask(client, version, **fields))
    assert job["state"] == "done", job["problem"]
    assert job["kind"] == "rerun"
    result: dict[str, Any] = job["result"]
    return result


def inspected(client: TestClient, image: bytes, **form: Any) -> dict[str, Any]:
    answer: dict[str, Any] = infer(client, image, **form).json()
    wait_until(lambda: client.get(f"/inspections/{answer['inspection_id']}/image").status_code == 200)
    return answer


def blind_version(client: TestClient) -> float:
    """Version 2: the same pictures, and a threshold above everything."""
    assert fit(client, 6, stage="true").json()["model_version"] == 2
    threshold: float = calibrate(client, model_version=2, threshold=1000.0).json()["threshold"]
    return threshold


def test_verdicts_that_would_change_are_told_with_both_scores_and_nothing_is_recorded(keeping: TestClient) -> None:
    bad, good = inspected(keeping, spoiled_disc(50)), inspected(keeping, disc(1))
    assert (bad["verdict"], good["verdict"]) == ("NG", "OK")
    assert rerun(keeping) == {"model_version": 1, "n": 2, "n_changed": 0, "changed": [], "without_picture": 0}
    assert blind_version(keeping) == 1000.0
    result = rerun(keeping, 2)
    assert (result["n"], result["n_changed"], result["model_version"]) == (2, 1, 2)
    [change] = result["changed"]
    assert change == {
        "inspection_id": bad["inspection_id"], "old_verdict": "NG", "new_verdict": "OK", "old_score": bad["score"],
        "new_score": pytest.approx(bad["score"], rel=0.01), "new_threshold": 1000.0,
    }  # fmt: skip
    assert keeping.get("/inspections").json()["total"] == 2
    assert keeping.get(f"/inspections/{bad['inspection_id']}").json()["verdict"] == "NG"


def test_the_shape_that_was_judged_is_judged_again(keeping: TestClient) -> None:
    assert calibrate(keeping, threshold=1e-6).status_code == 200  # everything is NG
    elsewhere = json.dumps({"kind": "circle", "cx": 60.0, "cy": 60.0, "r": 40.0})
    ring, circle = inspected(keeping, spoiled_disc(50)), inspected(keeping, spoiled_disc(50), shape=elsewhere)
    blind_version(keeping)
    scores = {one["inspection_id"]: one["new_score"] for one in rerun(keeping, 2)["changed"]}
    assert scores[ring["inspection_id"]] == pytest.approx(ring["score"])
    assert scores[circle["inspection_id"]] == pytest.approx(circle["score"])
    assert circle["score"] != pytest.approx(ring["score"], rel=0.01)


def test_a_selection_is_made_by_ids_or_by_time_verdict_and_number(keeping: TestClient) -> None:
    bad = [inspected(keeping, spoiled_disc(seed)) for seed in (50, 51)]
    good = inspected(keeping, disc(1))
    blind_version(keeping)

    def changed(**fields: Any) -> tuple[int, list[str]]:
        result = rerun(keeping, 2, **fields)
        return result["n"], [one["inspection_id"] for one in result["changed"]]

    first, second = (one["inspection_id"] for one in bad)
    assert changed() == (3, [second, first])  # newest first
    assert changed(inspection_ids=[first, first, good["inspection_id"]]) == (2, [first])
    assert changed(verdict="OK") == (1, [])
    assert changed(verdict="NG", limit=1) == (1, [second])
    moment = keeping.get(f"/inspections/{second}").json()["time_utc"]
    assert changed(since=moment) == (2, [second])
    assert changed(before=moment) == (1, [first])
    assert changed(before="2020-01-01") == (0, [])


def test_inspections_without_a_picture_are_counted(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=0)) as client:
        bad, damaged = inspected(client, spoiled_disc(50)), inspected(client, spoiled_disc(51))
        assert infer(client).json()["verdict"] == "OK"
        next(data_root.rglob(f"{damaged['inspection_id']}.image")).write_bytes(spoiled_disc(51)[:3000])
        blind_version(client)
        result = rerun(client, 2)
        assert (result["n"], result["without_picture"]) == (1, 2)
        assert [one["inspection_id"] for one in result["changed"]] == [bad["inspection_id"]]


def test_an_inspection_without_a_verdict_gets_one(keeping: TestClient) -> None:
    assert fit(keeping, 4).json()["model_version"] == 2
    one = inspected(keeping, spoiled_disc(50), allow_uncalibrated="true")
    [change] = rerun(keeping, 1)["changed"]
    assert (change["inspection_id"], change["old_verdict"], change["new_verdict"]) == (one["inspection_id"], None, "NG")


def test_what_cannot_be_judged_again_is_refused_at_once(keeping: TestClient) -> None:
    one = inspected(keeping, disc(1))["inspection_id"]
    assert fit(keeping, 4, stage="true").json()["model_version"] == 2
    assert_problem(ask(keeping, 2), 428, "Version 2", "calibrate_ng")
    assert_problem(ask(keeping, 9), 404, "9")
    assert_problem(ask(keeping, roi_id="hub"), 404)
    assert_problem(ask(keeping, inspection_ids=["20261123T071455123456-3f9a1c2d"]), 404)
    assert_problem(ask(keeping, inspection_ids=[]), 422, "inspection_ids")
    assert_problem(ask(keeping, limit=0), 422, "limit")
    assert_problem(ask(keeping, since="yesterday"), 422, "since")
    assert keeping.post("/fit_ok", data={**ROI, "roi_id": "hub", "mm_per_px": 0.5, "shape": ""}, files=[
        ("images", (f"{seed}.png", disc(seed))) for seed in range(4)
    ]).status_code == 200  # fmt: skip
    assert calibrate(keeping, roi_id="hub", mm_per_px=0.5).status_code == 200
    assert_problem(ask(keeping, roi_id="hub", inspection_ids=[one]), 422, "disc/ring")


def test_it_goes_on_while_training_is_frozen(keeping: TestClient) -> None:
    inspected(keeping, spoiled_disc(50))
    keeping.post("/admin/freeze", json={"why": "audit"})
    assert rerun(keeping)["n"] == 1


def test_it_can_be_cancelled(keeping: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        inspected(keeping, spoiled_disc(seed))
    worker, judged = keeping.app.state.backend.device.worker, []  # type: ignore[attr-defined]
    asked, real = threading.Event(), worker.run

    def slow(work: Any) -> Any:
        judged.append(work)
        asked.wait(20)
        time.sleep(0.3)  # a job looks five times a second whether it is cancelled
        return real(work)

    monkeypatch.setattr(worker, "run", slow)
    answer = ask(keeping)
    wait_until(lambda: judged)
    assert keeping.delete(answer.headers["Location"]).status_code == 200
    asked.set()
    assert ended(keeping, answer)["state"] == "cancelled"
    assert len(judged) == 1
