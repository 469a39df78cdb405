"""Long work that can be followed, cancelled, and that says so when its process died."""

from __future__ import annotations

import json
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.errors import Conflict, DiskFull, QueueFull
from service.jobs import MAX_WAITING, Jobs
from service.store.records.database import jobs as jobs_table
from service.store.records.database import open_database
from tests.conftest import settings_for
from tests.kit.parts import FORM, ROI, assert_problem, fit, good_pictures, infer, serving, state, wait_until
from tests.kit.twin import TwinEngine

ASYNC = {"Prefer": "respond-async"}


class SlowTwin(TwinEngine):
    """Needs a quarter of a second for every slice of a fit."""

    slice_s = 0.25

    def vectors(self, patches: np.ndarray) -> np.ndarray:
        time.sleep(self.slice_s)
        return super().vectors(patches)


def start_fit(client: TestClient, count: int = 16) -> str:
    answer = client.post("/fit_ok", data=FORM, files=good_pictures(count), headers=ASYNC)
    assert (answer.status_code, answer.content) == (202, b"")
    return str(answer.headers["Location"])


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_a_fit_can_be_started_followed_and_its_result_fetched(client: TestClient) -> None:
    job = start_fit(client)
    with client.stream("GET", f"{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = events("".join(answer.iter_text()))
    assert seen[-1]["state"] == "done"
    assert [event["progress"] for event in seen] == sorted(event["progress"] for event in seen)
    done = client.get(job).json()
    assert (done["state"], done["progress"], done["kind"], done["problem"]) == ("done", 1.0, "fit", None)
    assert done["result"]["model_version"] == 1
    assert done["created_utc"] < done["ended_utc"]
    assert_problem(client.delete(job), 409, "done already")


def test_a_running_fit_tells_how_far_it_is_and_can_be_cancelled_leaving_nothing(data_root: Path) -> None:
    twin = SlowTwin()
    with serving(settings_for(data_root), lambda: twin) as client:
        job = start_fit(client)
        wait_until(lambda: client.get(job).json()["progress"] > 0)
        running = client.get(job).json()
        assert (running["state"], running["stage"]) == ("running", "embed")
        assert 0 < running["progress"] < 1
        assert client.delete(job).status_code == 200
        wait_until(lambda: client.get(job).json()["state"] == "cancelled")
        assert state(client)["versions"] == [1]
        twin.slice_s = 0
        assert fit(client).json()["model_version"] == 2


def test_inspections_go_on_while_a_fit_runs(data_root: Path) -> None:
    twin = SlowTwin()
    with serving(settings_for(data_root), lambda: twin) as client:
        job = start_fit(client)
        wait_until(lambda: client.get(job).json()["progress"] > 0)
        assert infer(client).json()["verdict"] == "OK"
        assert client.get(job).json()["state"] == "running"
        twin.slice_s = 0
        wait_until(lambda: client.get(job).json()["state"] == "done")


def test_a_fit_that_fails_says_why_in_its_job(client: TestClient) -> None:
    files = [*good_pictures(2), ("images", ("bad.png", b"x"))]
    job = client.post("/fit_ok", data=FORM, files=files, headers=ASYNC).headers["Location"]
    wait_until(lambda: client.get(job).json()["state"] == "failed")
    problem = client.get(job).json()["problem"]
    assert (problem["status"], problem["code"]) == (415, "image_type_not_read")
    assert "bad.png" in problem["detail"]


class CrashingTwin(TwinEngine):
    def vectors(self, *_: object) -> Any:
        raise ZeroDivisionError("secret inner detail")


def test_a_fit_that_crashes_is_a_failed_job_and_a_500_and_the_old_model_serves(data_root: Path) -> None:
    with serving(settings_for(data_root), CrashingTwin, crashes_raise=False) as client:
        job = start_fit(client)
        wait_until(lambda: client.get(job).json()["state"] == "failed")
        assert "secret" not in client.get(job).text
        assert_problem(fit(client), 500)
        assert infer(client).json()["verdict"] == "OK"


def test_stopping_the_service_cancels_a_running_fit(data_root: Path) -> None:
    with serving(settings_for(data_root), SlowTwin) as client:
        job = start_fit(client)
        wait_until(lambda: client.get(job).json()["progress"] > 0)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    with serving(settings_for(data_root)) as client:
        assert client.get(job).json()["state"] == "cancelled"
        assert state(client)["versions"] == [1]


def test_a_job_whose_process_died_is_failed_after_the_restart(data_root: Path) -> None:
    database = open_database(data_root / "records.sqlite")
    with database.begin() as connection:
        for job_id, owner in (("dead", "999999@12.00"), ("odd", "nobody")):
            connection.execute(
                sa.insert(jobs_table).values(
                    job_id=job_id, kind="fit", state="running", progress=0.3, stage="coreset", owner=owner,
                    created_utc="2999-01-01T00:00:00+00:00", cancel_asked=False,
                )
            )  # fmt: skip
    database.dispose()
    with serving(settings_for(data_root)) as client:
        for job_id in ("dead", "odd"):
            job = client.get(f"/jobs/{job_id}").json()
            assert (job["state"], job["problem"]["code"]) == ("failed", "interrupted")
            assert "start it again" in job["problem"]["detail"]


def test_a_job_nobody_knows_is_a_404(client: TestClient) -> None:
    for path in ("/jobs/nope", "/jobs/nope/events"):
        assert_problem(client.get(path), 404, "nope")
    assert_problem(client.delete("/jobs/nope"), 404, "nope")


def test_jobs_wait_in_a_bounded_queue(tmp_path: Path) -> None:
    database = open_database(tmp_path / "records.sqlite")
    jobs, may_end = Jobs(database), threading.Event()
    started = [jobs.start("wait", lambda _: {"waited": may_end.wait(10)}) for _ in range(MAX_WAITING)]
    with pytest.raises(QueueFull, match="jobs wait already"):
        jobs.start("one more", lambda _: {})
    may_end.set()
    assert [future.result(10) for _, future in started] == [{"waited": True}] * MAX_WAITING
    wait_until(lambda: jobs.get(started[-1][0]).state == "done")
    assert jobs.start("now", lambda _: {"a": 1})[1].result(10) == {"a": 1}
    with pytest.raises(Conflict):
        jobs.cancel(started[0][0])
    jobs.close()
    database.dispose()


def test_a_job_whose_end_cannot_be_written_still_answers_who_waits_for_it(tmp_path: Path) -> None:
    database = open_database(tmp_path / "records.sqlite")
    jobs, may_end = Jobs(database), threading.Event()
    _, future = jobs.start("wait", lambda _: {"waited": may_end.wait(10)})
    with database.begin() as connection:
        for change in ("INSERT", "UPDATE"):
            fails = "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
            connection.exec_driver_sql(f"CREATE TRIGGER no_{change} BEFORE {change} ON jobs {fails}")
    may_end.set()
    assert future.result(10) == {"waited": True}
    for _ in range(2 * MAX_WAITING):  # a job that could not be queued does not take up room
        with pytest.raises(DiskFull):
            jobs.start("one more", lambda _: {})
    jobs.close()
    database.dispose()


def test_the_roi_of_a_failed_fit_is_as_before(client: TestClient) -> None:
    fit(client, 2)
    assert_problem(fit(client, 2, shape='{"kind":"rect","x":900,"y":0,"w":5,"h":5}'), 422, "shape")
    assert state(client)["versions"] == [1]
    assert client.get("/models", params=ROI).json()["models"][0]["current"]


def test_routes_are_resolved_before_the_first_request(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doing it in a request changes the warnings' filters under the feet of every other thread."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a request changes the filters of warnings")

    monkeypatch.setattr(warnings, "catch_warnings", refuse)
    assert client.get("/jobs/none").status_code == 404
