"""Before any route: request ids, host names, body size, keys, and one shape for every error."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.conftest import settings_for
from tests.kit.parts import FORM, ROI, assert_problem, calibrate, disc, infer, serving
from tests.kit.twin import TwinEngine


def test_a_request_id_is_echoed_or_made_and_stands_in_the_answer_and_in_the_record(taught: TestClient) -> None:
    headers = {"X-Request-Id": "line-2/0815"}
    answer = taught.post("/infer", data=FORM, files={"image": disc(1)}, headers=headers)
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"] == "line-2/0815"
    record = taught.get(f"/inspections/{answer.json()['inspection_id']}").json()
    assert record["inspection_request_id"] == "line-2/0815"
    assert taught.get("/health", headers={"X-Correlation-Id": "c-1"}).headers["X-Request-Id"] == "c-1"
    made = {taught.get("/health/live").headers["X-Request-Id"] for _ in range(3)}
    assert len(made) == 3
    for bad in ("x" * 129, "two words", "né"):
        given = bad.encode("utf-8")
        assert taught.get("/health", headers={"X-Request-Id": given}).headers["X-Request-Id"] not in (bad, "")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "[evil]", "", "a b"]
)
def test_a_host_name_that_is_not_ours_is_refused(client: TestClient, host: str) -> None:
    for path in ("/health", "/infer", "/nowhere", "/docs"):
        assert_problem(client.get(path, headers={"Host": host}), 421, "BACKEND_ALLOWED_HOSTS")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80", "10.0.0.7"]
)
def test_localhost_and_ip_addresses_are_fine(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_configured_host_names_are_fine(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_ALLOWED_HOSTS="vision.plant, VISION2")) as client:
        for host in ("vision.plant:8000", "Vision2"):
            assert client.get("/health", headers={"Host": host}).status_code == 200
        assert_problem(client.get("/health", headers={"Host": "vision3"}), 421)


def test_a_body_over_the_limit_is_refused_with_and_without_a_length(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_MAX_BODY_MB=1)) as client:
        picture = {"image": ("huge.png", b"x" * 1_200_000)}
        assert_problem(client.post("/infer", data=FORM, files=picture), 413, "1 MB", "BACKEND_MAX_BODY_MB")

        def pieces() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
            for _ in range(30):
                yield b"x" * 50_000
            yield b"\r\n--x--\r\n"

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert_problem(client.post("/infer", content=pieces(), headers=kind), 413, "1 MB")
        assert_problem(client.post("/calibrate_ng", content=(b" " * 90_000 for _ in range(20))), 413, "1 MB")


@pytest.mark.parametrize("length", ["\u00b2", "-5", "lots", "1e9"])
def test_a_length_that_is_no_number_does_no_harm(client: TestClient, length: str) -> None:
    assert client.get("/state", params=ROI, headers={"Content-Length": length.encode("latin-1")}).status_code == 200


def test_with_keys_configured_only_who_has_one_enters(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, BACKEND_API_KEY="line-2:s3cret, 0ther")
    with serving(settings) as client:
        for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "s3cre"}, {"X-API-Key": "line-2:s3cret"}):
            answer = client.get("/state", params=ROI, headers=headers)
            assert_problem(answer, 401, "X-API-Key")
            assert "s3cret" not in answer.text
        wrong = {"X-API-Key": "ñ".encode()}
        assert_problem(client.get("/state", params=ROI, headers=wrong), 401)
        for key in ("s3cret", "0ther"):
            assert client.get("/state", params=ROI, headers={"X-API-Key": key}).status_code == 200
        for path in ("/health", "/health/live", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200
        assert_problem(client.get("/metrics"), 401)
        assert_problem(client.post("/infer", data=FORM, files={"image": disc(1)}), 401)
        assert_problem(client.get("/nowhere"), 404)


def test_the_record_names_whose_key_it_was_and_an_old_key_is_out_after_rotation(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_API_KEY="line-2:old, line-2:new")) as client:
        for key in ("old", "new"):
            client.headers["X-API-Key"] = key
            inspection = infer(client).json()["inspection_id"]
            assert client.get(f"/inspections/{inspection}").json()["key_name"] == "line-2"
    with serving(settings_for(data_root, BACKEND_API_KEY="line-2:new")) as client:
        assert client.get("/state", params=ROI, headers={"X-API-Key": "new"}).status_code == 200
        assert_problem(client.get("/state", params=ROI, headers={"X-API-Key": "old"}), 401)


def test_a_key_that_was_left_empty_lets_nobody_in(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_API_KEY="line-2:,line-3:k3y")) as client:
        assert_problem(client.get("/state", params=ROI), 401)
        assert_problem(client.get("/state", params=ROI, headers={"X-API-Key": ""}), 401)


def test_options_tells_a_gui_which_routes_there_are(client: TestClient) -> None:
    known = [path.replace("{label}", "ok") for path in client.get("/openapi.json").json()["paths"]]
    assert {"/infer", "/fit_ok", "/calibrate_ng", "/health", "/datasets/ok/upload"} <= set(known)
    for path in known:
        assert client.options(path).status_code != 404, path
    for path in ("/nowhere", "/infer/2", "/fit", "/datasets/maybe/uploads"):
        assert_problem(client.options(path), 404)


def test_every_error_has_the_same_shape(client: TestClient) -> None:
    assert_problem(client.get("/nowhere"), 404, "GET /docs")
    wrong_method = client.get("/infer")
    assert assert_problem(wrong_method, 405)["code"] == "method_not_allowed"
    assert wrong_method.headers["Allow"] == "POST"
    assert_problem(client.post("/infer", data={"role_id": "a"}), 422)
    assert_problem(client.post("/infer", content=b"x", headers={"Content-Type": "multipart/form-data"}), 400)
    assert_problem(client.post("/infer", data=FORM, files={"image": disc(1)}), 400, "memory not fitted")


class Exploding(TwinEngine):
    def distances(self, *_: object) -> list[np.ndarray]:
        raise ZeroDivisionError("secret inner detail")


def test_a_crash_is_a_500_without_stack_trace_and_a_log_entry_with_one(
    data_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(settings_for(data_root), Exploding, crashes_raise=False) as client, caplog.at_level(logging.INFO):
        answer = infer(client)
        problem = assert_problem(answer, 500, "log")
        assert "secret" not in json.dumps(problem)
        entry = next(record for record in caplog.records if record.getMessage() == "unexpected error")
        assert entry.exc_info is not None
        assert "secret inner detail" in str(entry.exc_info[1])
        line = next(record for record in caplog.records if record.name == "service.access")
        assert (line.__dict__["path"], line.__dict__["status"]) == ("/infer", 500)
        assert client.get("/inspections").json()["total"] == 0
        assert client.get("/health").status_code == 200


def test_what_screens_ask_every_second_is_logged_only_when_it_goes_wrong(
    data_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A log that is looked at must not grow by being looked at."""
    (data_root / "logs" / "service.log").write_text("one\n")
    with serving(settings_for(data_root)) as client, caplog.at_level(logging.INFO):
        for path in ("/health", "/state?role_id=disc&roi_id=ring", "/logs/service.log", "/logs/none.log", "/models"):
            client.get(path)
    asked = [record.__dict__["path"] for record in caplog.records if record.name == "service.access"]
    assert asked == ["/logs/none.log", "/models"]


def test_a_browser_of_a_configured_origin_may_call_and_still_gets_ids(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_ALLOW_ORIGINS="http://hmi.plant")) as client:
        ask = {"Origin": "http://hmi.plant", "Access-Control-Request-Method": "POST"}
        preflight = client.options("/infer", headers=ask)
        assert preflight.headers["Access-Control-Allow-Origin"] == "http://hmi.plant"
        assert preflight.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in client.get("/health", headers={"Origin": "http://evil"}).headers


def test_two_services_of_one_process_keep_data_keys_and_limits_apart(data_root: Path, tmp_path: Path) -> None:
    """They share the routes, which are made once in a process."""
    other = settings_for(
        tmp_path / "other", BACKEND_API_KEY="line-2:s3cret", BACKEND_ALLOWED_HOSTS="vision2", BACKEND_MAX_BODY_MB=1,
        BACKEND_ALLOW_ORIGINS="http://hmi.plant",
    )  # fmt: skip
    key, large = {"X-API-Key": "s3cret"}, {"image": ("huge.png", b"x" * 1_200_000)}
    with serving(settings_for(data_root)) as first, serving(other) as second:
        for _ in range(2):  # in turn: what one was asked last must not count for the other
            assert first.get("/state", params=ROI).json()["memory_fitted"] is True
            assert_problem(second.get("/state", params=ROI), 401)
            assert second.get("/state", params=ROI, headers=key).json()["memory_fitted"] is False
            assert_problem(first.get("/health", headers={"Host": "vision2"}), 421)
            assert second.get("/health", headers={"Host": "vision2"}).status_code == 200
            assert_problem(first.post("/infer", data=FORM, files=large), 415)
            assert_problem(second.post("/infer", data=FORM, files=large, headers=key), 413, "1 MB")
            asked = {"Origin": "http://hmi.plant"}
            assert "Access-Control-Allow-Origin" not in first.get("/health", headers=asked).headers
            assert second.get("/health", headers=asked).headers["Access-Control-Allow-Origin"] == "http://hmi.plant"
    with serving(settings_for(data_root)) as first:  # one that has ended takes nothing with it
        assert infer(first).json()["verdict"] == "OK"


def test_without_calibration_the_sentence_says_what_to_run(taught: TestClient) -> None:
    assert calibrate(taught).status_code == 200
    taught.post("/fit_ok", data=FORM, files=[("images", ("a.png", disc(i))) for i in range(3)])
    assert_problem(infer(taught), 428, "run POST /calibrate_ng", "Version 2")
