"""Requests made up from our own OpenAPI description: whatever is sent, the answer is described there, never a crash.

The service knows a calibrated ROI, samples, inspections and a job, and many requests are about those, so that they get
past the front door.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from service.__main__ import make_backend
from service.api.app import create_app
from tests.conftest import settings_for
from tests.kit import depth
from tests.kit.depth import rounds
from tests.kit.parts import FORM, ROI, SCALE, disc, good_pictures, infer, spoiled_disc, upload, wait_until
from tests.kit.twin import TwinEngine

pytestmark = [pytest.mark.system, pytest.mark.scaled]
KNOWN: dict[str, Any] = {}
EXAMPLES = settings(
    max_examples=rounds(3, 25), deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def service(taught_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A real server on a free port, with something to ask about."""
    data_root = tmp_path_factory.mktemp("made_up") / "data"
    copytree(taught_root, data_root)
    backend = make_backend(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=1), TwinEngine, restart=lambda: None)
    backend.people.keys.from_environment = True  # a made-up key would shut everybody out
    backend.upkeep.jobs.max_waiting = 10_000  # made-up jobs come faster than any person starts them
    app = create_app(backend)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
            wait_until(lambda: server.started and client.get("/health").status_code == 200)
            learn(client)
            yield client
        server.should_exit = True
        thread.join(20)


def learn(client: httpx.Client) -> None:
    uploaded = upload(client, 3).json()["files"]
    started = {"data": {**FORM, "stage": "true"}, "files": good_pictures(2), "headers": {"Prefer": "respond-async"}}
    KNOWN.update(
        ROI,
        mm_per_px=SCALE,
        label="ok",
        filename=uploaded[0],
        model_version=1,
        job_id=client.post("/fit_ok", **started).headers["Location"].removeprefix("/jobs/"),
        inspection_id=infer(client, spoiled_disc(50), part_id="A1").json()["inspection_id"],
        part_id="A1",
    )


@pytest.fixture(scope="module")
def api(service: httpx.Client) -> Any:
    return schemathesis.openapi.from_url(f"{service.base_url}/openapi.json")


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:  # noqa: ARG001
    return about_what_is_known(query)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:  # noqa: ARG001
    return about_what_is_known(path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    body = about_what_is_known(body)
    if not isinstance(body, dict) or len(str(body)) % 2:
        return body
    if "shape" in body:
        body["shape"] = FORM["shape"]
    if "image" in body:
        body["image"] = disc(1)
    if context.operation.path == "/fit_ok":  # optional files are not sent as files
        body["use_dataset"] = True
        body.pop("images", None)
    elif "images" in body:
        body |= {"images": [disc(1), disc(2)], "metas": ["{}", "{}"]}
    return body


def about_what_is_known(values: Any) -> Any:
    """Two of three made-up requests are about the ROI there is; which ones depends on nothing but themselves."""
    if isinstance(values, dict) and len(repr(sorted(values, key=str)) + repr(values)) % 3:
        return {name: KNOWN.get(name, value) for name, value in values.items()}
    return values


def test_made_up_requests_get_described_answers(api: Any) -> None:
    answered: dict[str, set[int]] = {}
    for operation in api.get_all_operations():
        made_up = operation.ok()

        @settings(EXAMPLES)
        @given(case=made_up.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(timeout=30)
            answered.setdefault(case.operation.label, set()).add(answer.status_code)
            case.validate_response(answer, checks=[not_a_server_error, status_code_conformance])
            assert_described(api.raw_schema, case, answer)

        ask()
    reached = {label for label, codes in answered.items() if 200 in codes}
    wanted = {"POST /infer", "POST /calibrate_ng", "GET /datasets/list"}
    # three examples of an operation do not always hit a picture that is taken
    assert wanted | ({"POST /scores", "POST /fit_ok"} if depth.deep() else set()) <= reached, answered


def assert_described(spec: dict[str, Any], case: Any, answer: Any) -> None:
    """Schemathesis' own check stumbles over tuples (`prefixItems`) in OpenAPI 3.1."""
    described = spec["paths"][case.operation.path][case.method.lower()]["responses"]
    said = described.get(str(answer.status_code), described.get(f"{answer.status_code // 100}XX"))
    if "content" not in said:  # a job was started: the answer is its header
        assert answer.content == b""
        assert "location" in answer.headers
        return
    content = said["content"]
    kind = answer.headers["content-type"][0].split(";")[0]
    assert kind in content or f"{kind.split('/')[0]}/*" in content, (kind, list(content))
    if kind.endswith("json"):
        jsonschema_rs.validate({**content[kind]["schema"], "components": spec["components"]}, answer.json())


def test_after_all_that_the_service_still_works(service: httpx.Client) -> None:
    assert infer(service, allow_uncalibrated="true").status_code in (200, 400)  # the last version may not be activated
    assert service.get("/health").json()["status"] in ("ok", "degraded")
