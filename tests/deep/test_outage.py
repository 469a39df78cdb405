"""A service whose data root cannot be opened says so, and recovers when it can."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.processes import free_port

pytestmark = [pytest.mark.system, pytest.mark.torch]


def health(port: int) -> tuple[int, dict[str, Any]]:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
        return answer.status_code, answer.json()
    except httpx.TransportError:
        return 0, {}


def wait_for(port: int, status: str, timeout_s: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        _, answer = health(port)
        if answer.get("status") == status:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"never {status}: {health(port)}")


def test_with_a_data_root_that_cannot_be_made_the_port_answers_and_the_service_recovers(tmp_path: Path) -> None:
    in_the_way, port = tmp_path / "file", free_port()
    in_the_way.write_text("a file where the data root's parent should be")
    environment = {
        **os.environ,
        "BACKEND_DATA_ROOT": str(in_the_way / "root"),
        "BACKEND_PORT": str(port),
        "BACKEND_BACKBONE": "efficientnet_lite0",
        "BACKEND_MIN_FREE_MB": "0",
    }
    with subprocess.Popen([sys.executable, "-m", "service"], env=environment, stderr=subprocess.DEVNULL) as service:
        try:
            answer = wait_for(port, "error", 30)
            assert str(in_the_way) in answer["reason"]
            assert health(port)[0] == 503
            refused = httpx.get(f"http://127.0.0.1:{port}/models")
            assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
            assert refused.headers["Retry-After"]
            in_the_way.unlink()
            wait_for(port, "ok", 60)
        finally:
            service.terminate()
            service.wait(20)


@pytest.mark.fast
def test_two_services_do_not_share_a_port(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "BACKEND_DATA_ROOT": str(tmp_path), "BACKEND_PORT": str(port)}
    with subprocess.Popen([sys.executable, "-m", "service"], env=environment, stderr=subprocess.DEVNULL) as first:
        try:
            deadline = time.monotonic() + 30
            while health(port)[0] == 0 and time.monotonic() < deadline:
                time.sleep(0.2)
            second = subprocess.run(
                [sys.executable, "-m", "service"],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            first.terminate()
            first.wait(20)
    assert second.returncode == 2
    assert f"(process {first.pid}) uses port {port}" in second.stderr
