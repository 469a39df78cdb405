"""docs/api.md: its calls, run in order by curl on a real server, answer what it says; no route or code is left out."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from service.__main__ import build_engine, make_backend
from service.api.app import create_app
from service.errors import DatabaseUnusable
from service.settings import Settings
from tests.conftest import SHARED, settings_for
from tests.kit.parts import wait_until
from tests.kit.twin import TwinEngine
from tests.rules.test_docs_troubleshooting import problem_classes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
# Every call says its status and address on stderr, whatever it does with the answer.
REAL = ("resnet50", "efficientnet_lite0")
CURL = """curl() { command curl -sS --max-time 60 -w '%{stderr}%{http_code} %{url_effective}\\n' "$@"; }"""


def real_settings(backbone: str, data_root: Path) -> Settings:
    weights = SHARED / "weights"
    if backbone == "resnet50" and not weights.is_dir():
        pytest.skip("the weights of resnet50 are not beside the checkout")
    return settings_for(data_root, BACKEND_INPUT_SIZE=0, BACKEND_BACKBONE=backbone, BACKEND_WEIGHTS_DIR=weights)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def calls_of_the_page() -> list[tuple[int, str]]:
    """Status and first line of every call; the status stands alone on the line above."""
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    calls = []
    for above, line in zip(["", *lines], lines, strict=False):
        if line.startswith("curl "):
            status = re.fullmatch(r"# (\d{3})", above)
            assert status, f"no status above: {line}"
            calls.append((int(status[1]), line))
    return calls


@pytest.fixture(params=["twin", *(pytest.param(name, marks=pytest.mark.deep) for name in REAL)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A real server on a free port, which knows nothing yet: on the twin, and on real networks for the verdicts."""
    (tmp_path / "data" / "logs").mkdir(parents=True)
    (tmp_path / "data" / "logs" / "service.log").write_text("started\n")
    settings, build = settings_for(tmp_path / "data"), TwinEngine
    if request.param in REAL:
        settings = real_settings(request.param, tmp_path / "data")
        build = partial(build_engine, settings)  # type: ignore[assignment]
    backend = make_backend(settings, build, restart=lambda: None)
    config = uvicorn.Config(create_app(backend), log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started and backend.device.loader.state == "ready")
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="the calls are written for bash")
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_calls_of_the_page_answer_what_it_says(address: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    [pictures] = blocks("python")
    subprocess.run([sys.executable, "-c", pictures], cwd=tmp_path, env=environment, check=True, timeout=60)
    script = "\n".join(["set -eu -o pipefail", CURL, *blocks("bash")]).replace(ADDRESS, address)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, timeout=120)

    said = done.stderr.decode()
    answered = [int(status) for status in re.findall(rf"^(\d{{3}}) {re.escape(address)}", said, re.MULTILINE)]
    calls = calls_of_the_page()
    wrong = [(line, status, got) for (status, line), got in zip(calls, answered, strict=False) if status != got]
    assert wrong == [], done.stdout.decode()[-2000:]
    assert (len(answered), done.returncode) == (len(calls), 0), said
    verdicts = {one["part_id"]: one["verdict"] for one in httpx.get(f"{address}/inspections").json()["inspections"]}
    assert verdicts["A-0816"] == "NG"  # 100 mm² of paint: whatever judges, it is never OK


def test_every_route_has_its_section(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^### ((?:GET|POST|PUT|DELETE) /.*)$", PAGE, re.MULTILINE)) == routes


def test_every_error_is_told_with_its_status() -> None:
    told = set(re.findall(r"\b(\d{3})(?: \|)? `(\w+)`", PAGE))
    codes = {(str(problem.status), problem.code) for problem in problem_classes()}
    assert (str(DatabaseUnusable.status), DatabaseUnusable.code) in codes
    assert codes - told == set()
