"""The port answers before the program behind it is there, in the words of the contract."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from service.contract.health import Health
from service.contract.problem import ProblemAnswer
from service.process.port import PortTaken
from service.process.server import Serving
from service.process.starting import Early
from service.settings import Settings
from tests.conftest import settings_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path, BACKEND_PORT=free_port())


@pytest.fixture(autouse=True)
def early(settings: Settings) -> Iterator[Early]:
    found = Early(settings)
    yield found
    found.hand_over().close()


def address(settings: Settings, path: str) -> str:
    return f"http://127.0.0.1:{settings.port}{path}"


def test_health_says_loading_and_live_says_live(settings: Settings) -> None:
    health = httpx.get(address(settings, "/health"))
    assert health.status_code == 503
    assert Health(**health.json()).status == "loading"
    assert set(health.json()) == set(Health.model_fields)
    assert httpx.get(address(settings, "/health/live")).json() == {"status": "live"}


def test_everything_else_is_told_to_come_again(settings: Settings) -> None:
    answer = httpx.post(address(settings, "/infer"), content=bytes(3_000_000))
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert ProblemAnswer(**answer.json()).code == "not_ready"
    assert answer.headers["retry-after"] == "1"


def test_somebody_who_sends_nothing_blocks_nobody_for_long(settings: Settings) -> None:
    with socket.create_connection(("127.0.0.1", settings.port)):
        assert httpx.get(address(settings, "/health/live"), timeout=30).status_code == 200


def test_the_port_belongs_to_one(settings: Settings) -> None:
    with pytest.raises(PortTaken):
        Early(settings)


def test_the_program_takes_over_and_no_caller_is_refused(settings: Settings, early: Early) -> None:
    app, serving, answers = FastAPI(), Serving(early), list[int]()
    app.get("/health")(lambda: {"status": "ok"})
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            answers.append(httpx.get(address(settings, "/health"), timeout=10).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    running = threading.Thread(target=serving.run, args=(app, settings))
    running.start()
    while 200 not in answers and asking.is_alive():
        ended.wait(0.01)
    ended.set()
    asking.join()
    serving.stop()
    running.join()
    serving.close()
    assert answers == sorted(answers, reverse=True), "503 until it is there, then 200"
    assert answers[-1] == 200
