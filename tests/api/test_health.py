"""Is it alive, is it ready, what is the matter: said from the first second, whatever is missing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.__main__ import make_backend
from service.engine.loader import EngineLoader
from service.errors import ForeignBackbone, NotReady
from service.settings import Settings
from tests.conftest import settings_for
from tests.kit.parts import FORM, assert_problem, calibrate, disc, fit, infer, serving, wait_until
from tests.kit.twin import TwinEngine


def test_a_service_that_is_well_says_so(taught: TestClient) -> None:
    infer(taught)
    health = taught.get("/health")
    assert health.status_code == 200
    said = health.json()
    assert (said["status"], said["reason"], said["model"], said["models_loaded"]) == ("ok", None, "twin", 1)
    assert 0 < said["latency_infer_ms"]["p50"] <= said["latency_infer_ms"]["p95"]
    assert taught.get("/health/live").json() == {"status": "live"}


def test_while_the_backbone_loads_it_answers_503_loading_and_the_rest_says_retry(settings: Settings) -> None:
    may_go_on = threading.Event()

    def slow_engine() -> TwinEngine:
        may_go_on.wait(10)
        return TwinEngine()

    with serving(settings, slow_engine, ready=False) as client:
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "loading")
        assert "loading" in health.json()["reason"]
        assert client.get("/health/live").status_code == 200
        answer = fit(client, 2)
        assert_problem(answer, 503, "loading")
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/metrics").status_code == 200
        assert client.get("/datasets/list", params={"role_id": "a", "roi_id": "b"}).status_code == 200
        may_go_on.set()
        wait_until(lambda: client.get("/health").status_code == 200)


@pytest.mark.parametrize(
    "error",
    [ForeignBackbone("The weights of resnet18 are not here."), OSError("no such device"), AttributeError("torch.cuda")],
)
def test_an_engine_that_cannot_be_built_is_an_error_with_its_reason(settings: Settings, error: Exception) -> None:
    def broken_engine() -> TwinEngine:
        raise error

    with serving(settings, broken_engine, ready=False) as client:
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        health = client.get("/health")
        assert health.status_code == 503
        assert str(error) in health.json()["reason"]
        assert_problem(client.post("/fit_ok", data=FORM, files={"images": disc(1)}), 503, str(error))


def test_an_engine_that_could_not_be_built_is_tried_again() -> None:
    tries = []

    def third_time_lucky() -> TwinEngine:
        tries.append(1)
        if len(tries) < 3:
            raise ForeignBackbone("The weights are not here yet.")
        return TwinEngine()

    loader = EngineLoader(third_time_lucky, retry_s=0.05)
    with pytest.raises(NotReady):
        loader.engine()
    loader.start()
    wait_until(lambda: loader.state == "ready")
    assert loader.engine().device_name == "numpy twin"
    loader.close()
    assert len(tries) == 3


def test_a_library_that_cannot_be_imported_is_not_tried_again_and_again() -> None:
    """Each try of a broken installation costs memory that never comes back."""
    tries = []

    def broken() -> TwinEngine:
        tries.append(1)
        raise ImportError("DLL load failed")

    loader = EngineLoader(broken, retry_s=0.01)
    loader.start()
    wait_until(lambda: loader.state == "error" and not loader._thread.is_alive())
    loader.close()
    assert len(tries) == 1
    assert "DLL load failed" in loader.reason
    assert "Install the program again" in loader.reason


def test_closing_does_not_wait_for_the_next_try() -> None:
    def never() -> TwinEngine:
        raise OSError("gone")

    loader = EngineLoader(never, retry_s=300)
    loader.start()
    wait_until(lambda: loader.state == "error")
    loader.close()
    assert not any(thread.name == "engine-loader" for thread in threading.enumerate())


def test_a_lost_device_is_an_error_in_health(data_root: Path) -> None:
    twin = TwinEngine()
    with serving(settings_for(data_root), lambda: twin) as client:
        assert infer(client).status_code == 200
        twin.lost_reason = "The GPU does not answer: restart the service."
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "error")
        assert health.json()["code"] == "device_lost"  # the supervisor starts the service again
        assert "The GPU does not answer" in health.json()["reason"]


def test_a_disk_that_is_nearly_full_is_degraded_and_inspections_go_on(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_MIN_FREE_MB=10_000_000)) as client:
        answer = infer(client)
        assert answer.json()["verdict"] == "OK"
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert "disk" in health.json()["reason"]


def test_threads_end_when_the_service_does(settings: Settings) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with serving(settings) as client:
        fit(client, 3)
        calibrate(client)
        infer(client)
    ours = {thread.name for thread in threading.enumerate()} - before
    assert not {name for name in ours if not name.startswith("AnyIO")}


def test_a_backend_can_be_built_and_closed_without_being_started(settings: Settings) -> None:
    make_backend(settings, TwinEngine).close()


def test_a_data_root_that_is_gone_is_said_in_health(data_root: Path) -> None:
    with serving(settings_for(data_root), crashes_raise=False) as client:
        infer(client)
        aside = data_root.with_name("unplugged")
        data_root.rename(aside)
        health = client.get("/health")
        aside.rename(data_root)
        assert health.json()["status"] in ("degraded", "error")
        assert health.json()["reason"]
