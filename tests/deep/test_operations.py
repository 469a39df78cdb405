"""Plant IT at a terminal: back up, restore, freeze, verify, check an update; with a service running, and without."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import settings_for
from tests.kit.parts import FORM, RING, ROI, disc, infer, serving, upload, wait_until
from tests.kit.processes import brakedisc, free_port

pytestmark = pytest.mark.system


@pytest.fixture
def environment(data_root: Path) -> dict[str, str]:
    """A taught data root, on a port where nobody listens yet."""
    return {
        **os.environ,
        "BACKEND_DATA_ROOT": str(data_root),
        "BACKEND_PORT": str(free_port()),
        "BACKEND_MIN_FREE_MB": "0",
        "BACKEND_INPUT_SIZE": "128",
        "COLUMNS": "160",
    }


@contextmanager
def service(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """The real service on the engine's twin, in a process of its own."""
    command = [sys.executable, "-m", "tests.kit.twin_service"]
    url = f"http://127.0.0.1:{environment['BACKEND_PORT']}"
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(base_url=url, timeout=60) as client:
                wait_until(lambda: status(client) in ("ok", "degraded"), 60)
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def status(client: httpx.Client) -> str:
    try:
        return str(client.get("/health").json()["status"])
    except httpx.TransportError:
        return "down"


def said(environment: dict[str, str], *words: str | Path, code: int = 0) -> str:
    done = brakedisc(environment, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def only_backup(data_root: Path) -> str:
    (found,) = (data_root / "backups").glob("*.gz")
    return found.name


def mark_golden(client: httpx.Client, expected: str = "OK") -> None:
    data = {**ROI, "mm_per_px": FORM["mm_per_px"], "metas": json.dumps({"shape": json.loads(RING)})}
    uploaded = client.post("/datasets/ok/upload", data=data, files={"images": ("good.png", disc(1))}).json()
    asked = {**ROI, "label": "ok", "filename": uploaded["files"][0], "expected": expected}
    assert client.put("/datasets/golden", json=asked).status_code == 200


def n_samples(client: httpx.Client) -> int:
    return int(client.get("/state", params=ROI).json()["dataset"]["ok"])


@pytest.mark.fast
def test_a_running_service_is_backed_up_and_brought_back_and_starts_anew_by_itself(
    environment: dict[str, str], data_root: Path
) -> None:
    with service(environment) as client:
        mark_golden(client)
        assert "read back and whole" in said(environment, "backup")
        name = only_backup(data_root)
        assert name in said(environment, "backup", "--list")
        upload(client, 3)
        later = infer(client).json()["inspection_id"]
        told = said(environment, "restore", "--yes", name)
        assert f"{name} is restored." in told
        assert "Passed" in told
        assert n_samples(client) == 1
        assert client.get(f"/inspections/{later}").status_code == 200  # recorded after the backup: still proven
        assert infer(client).json()["verdict"] == "OK"
        assert client.get("/health").json()["status"] == "ok"
        assert not (data_root / "restore" / "former").exists()


def test_without_a_service_the_same_works_on_the_data_root(environment: dict[str, str], data_root: Path) -> None:
    assert "read back and whole" in said(environment, "backup")
    name = only_backup(data_root)
    shutil.rmtree(data_root / "models")
    assert "is restored" in said(environment, "restore", "--yes", name)
    assert (data_root / "models" / "disc" / "ring" / "current").exists()
    with service(environment) as client:
        assert infer(client).json()["verdict"] == "OK"


def test_a_restored_state_that_does_not_pass_can_be_taken_back(environment: dict[str, str], data_root: Path) -> None:
    with service(environment) as client:
        mark_golden(client, expected="NG")  # a mistake that this backup keeps
        said(environment, "backup")
        client.delete("/datasets/clear", params={**ROI, "label": "ok"})
        told = said(environment, "restore", "--yes", only_backup(data_root), code=1)
        assert "Failed: 1 of" in told
        assert "brakedisc restore former" in told
        assert client.get("/health").json()["code"] == "restore_not_verified"
        assert n_samples(client) == 1
        said(environment, "restore", "--yes", "former")
        assert n_samples(client) == 0
        assert client.get("/health").json()["status"] == "ok"


def test_a_service_whose_database_is_damaged_is_brought_back(environment: dict[str, str], data_root: Path) -> None:
    """It runs, and can do nothing but say so; a restore does not need it, and it finds what was restored."""
    with serving(settings_for(data_root)) as client:
        recorded = infer(client).json()["inspection_id"]
    said(environment, "backup")
    (data_root / "records.sqlite").write_bytes(b"no database" * 1000)
    command = [sys.executable, "-m", "tests.kit.twin_service"]
    url = f"http://127.0.0.1:{environment['BACKEND_PORT']}"
    with (
        subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process,
        httpx.Client(base_url=url) as outside,
    ):
        try:
            wait_until(lambda: status(outside) == "error", 60)
            assert outside.get("/health").json()["code"] == "data_root_closed"
            said(environment, "restore", "--yes", only_backup(data_root))
            wait_until(lambda: status(outside) in ("ok", "degraded"), 60)
            assert outside.get(f"/inspections/{recorded}").status_code == 200
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def test_a_backup_from_another_pc_is_given_as_a_file(
    environment: dict[str, str], data_root: Path, tmp_path: Path
) -> None:
    said(environment, "backup")
    elsewhere = {**environment, "BACKEND_DATA_ROOT": str(tmp_path / "other")}
    with service(environment) as client:
        upload(client, 1)  # noted in the audit log
    (data_root / "backups" / only_backup(data_root)).unlink()
    said(environment, "backup")
    assert "is restored" in said(elsewhere, "restore", "--yes", data_root / "backups" / only_backup(data_root))
    assert "Whole" in said(elsewhere, "audit", "verify")
    assert "dataset_add" in said(elsewhere, "audit", "show")
    with service(elsewhere) as client:
        assert infer(client).json()["verdict"] == "OK"
    renamed = tmp_path / "renamed.tar.gz"
    shutil.copy(data_root / "backups" / only_backup(data_root), renamed)
    assert "not the name of a backup" in said(elsewhere, "restore", "--yes", renamed, code=2)


def test_a_service_on_another_port_is_not_restored_under_its_feet(environment: dict[str, str], data_root: Path) -> None:
    said(environment, "backup")
    elsewhere = {**environment, "BACKEND_PORT": str(free_port())}
    with service(elsewhere):
        told = said(environment, "restore", "--yes", only_backup(data_root), code=2)
        assert "A service uses" in told
    assert not (data_root / "restore" / "plan.json").exists()


@pytest.mark.fast
def test_restore_asks_first(environment: dict[str, str], data_root: Path) -> None:
    said(environment, "backup")
    before = (data_root / "models" / "disc" / "ring" / "current").stat().st_mtime_ns
    assert "Go on?" in said(environment, "restore", only_backup(data_root), code=1)  # no terminal to say yes at
    assert (data_root / "models" / "disc" / "ring" / "current").stat().st_mtime_ns == before


@pytest.mark.fast
@pytest.mark.parametrize("runs", [True, False], ids=["service runs", "no service"])
def test_freeze_and_release(environment: dict[str, str], data_root: Path, runs: bool) -> None:
    def check() -> None:
        said(environment, "freeze", "--why", "audit of line 2")
        assert (data_root / "freeze.json").exists()
        said(environment, "unfreeze")
        assert not (data_root / "freeze.json").exists()
        assert "unfreeze" in said(environment, "audit", "show")

    if runs:
        with service(environment):
            check()
    else:
        check()


def test_an_update_is_checked_before_and_after(environment: dict[str, str], data_root: Path) -> None:
    with service(environment) as client:
        mark_golden(client)
        told = said(environment, "update-check", "before")
        assert "Update now" in told
        assert only_backup(data_root) in told
        assert client.get("/health").json()["frozen"]["why"].startswith("Update from version")
    with service(environment) as client:  # the new version
        told = said(environment, "update-check", "after")
        assert "+0.000000" in told
        assert "Training is released" in told
        assert client.get("/health").json()["training_frozen"] is False
    assert "run `brakedisc update-check before` first" in said(environment, "update-check", "after", code=2)


def test_an_update_that_judges_differently_stays_frozen_and_says_the_way_back(
    environment: dict[str, str], data_root: Path
) -> None:
    with service(environment) as client:
        mark_golden(client)
        said(environment, "update-check", "before")
    calibration = data_root / "models" / "disc" / "ring" / "v0001" / "calibration.json"
    calibration.unlink()  # what a faulty new version might lose
    with service(environment) as client:
        told = said(environment, "update-check", "after", code=1)
        assert f"brakedisc restore {only_backup(data_root)}" in told
        assert client.get("/health").json()["training_frozen"] is True
        said(environment, "restore", "--yes", only_backup(data_root))
        assert "Training is released" in said(environment, "update-check", "after")


def test_the_way_back_is_one_command_of_the_former_version(environment: dict[str, str], data_root: Path) -> None:
    with service(environment) as client:
        mark_golden(client)
        said(environment, "update-check", "before")
        calibration = data_root / "models" / "disc" / "ring" / "v0001" / "calibration.json"
        calibration.unlink()
        assert "Training is released" in said(environment, "update-check", "back")
        assert calibration.exists()
        assert client.get("/health").json()["training_frozen"] is False


def test_a_changed_audit_log_is_found_also_when_every_hash_was_made_anew(
    environment: dict[str, str], data_root: Path
) -> None:
    with service(environment) as client:
        upload(client, 1)
        said(environment, "backup")
        upload(client, 1)
    assert "Whole" in said(environment, "audit", "verify")
    (data_root / "logs" / "audit.jsonl").unlink()
    (data_root / "logs" / "audit.head").unlink()
    with service(environment) as client:  # begins a new log
        upload(client, 1)
    assert "Not whole" in said(environment, "audit", "verify", code=1)


def test_verify_says_what_failed(environment: dict[str, str], data_root: Path) -> None:
    with service(environment) as client:
        mark_golden(client)
        assert "Passed: 3 checks, 1 golden parts" in said(environment, "verify")
        (data_root / "models" / "disc" / "ring" / "v0001" / "calibration.json").write_bytes(b"{}")
        (data_root / "models" / "disc" / "ring" / "current").touch()
        told = said(environment, "verify", code=1)
        assert "calibration.json" in told
        assert client.get("/health").json()["status"] == "degraded"


def test_several_workers_restart_together(environment: dict[str, str], data_root: Path) -> None:
    """With the real engine: worker processes make their own."""
    several = {**environment, "UVICORN_WORKERS": "2", "BACKEND_BACKBONE": "efficientnet_lite0"}
    url = f"http://127.0.0.1:{several['BACKEND_PORT']}"
    command = [sys.executable, "-m", "service"]
    with (
        subprocess.Popen(command, env=several, stderr=subprocess.DEVNULL) as parent,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        try:
            wait_until(lambda: status(client) in ("ok", "degraded"), 120)
            before = workers(client)
            upload(client, 2)
            name = client.post("/backups").json()["name"]
            client.delete("/datasets/clear", params={**ROI, "label": "ok"})
            client.post(f"/backups/{name}/restore", headers={"Prefer": "respond-async"})
            wait_until(lambda: (data_root / "restore" / "restored.json").exists(), 60)
            wait_until(lambda: status(client) in ("ok", "degraded"), 120)
            assert parent.poll() is None
            assert workers(client).isdisjoint(before)
            assert n_samples(client) == 2
        finally:
            parent.terminate()
            parent.wait(60)


def workers(client: httpx.Client) -> set[Any]:
    found = set()
    for _ in range(20):
        with httpx.Client(base_url=client.base_url) as another:  # a connection stays with its worker
            found.add(another.get("/health").json()["pid"])
    return found
