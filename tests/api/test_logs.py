"""The log: one JSON line per event, with request id, without secrets, in files that do not grow for ever."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service import caller
from service.process.logs import set_up_logs
from tests.conftest import settings_for
from tests.kit.parts import FORM, infer, serving


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in before:
            with contextlib.suppress(OSError):
                handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "service.log").read_text("utf-8").splitlines()]


def write_to(folder: Path, **changes: Any) -> None:
    set_up_logs(folder, **{"level": "INFO", "max_mb": 1, "files": 3, "to_file": True, **changes})


def test_an_event_is_one_json_line_with_its_fields_and_request_id(tmp_path: Path) -> None:
    write_to(tmp_path)
    token = caller.request_id.set("r-1")
    logging.getLogger("service.x").info("fitted", extra={"role_id": "línea\n2", "model_version": 7})
    caller.request_id.reset(token)
    logging.getLogger("service.x").debug("not shown")
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        logging.getLogger("service.x").exception("it broke")
    first, second = lines(tmp_path)
    assert (first["event"], first["level"], first["request_id"], first["model_version"]) == ("fitted", "INFO", "r-1", 7)
    assert first["role_id"] == "línea\n2"
    assert first["time"].endswith("+00:00")
    assert "request_id" not in second
    assert "ZeroDivisionError: why" in second["traceback"]


@pytest.mark.parametrize(("files", "kept"), [(1, 2), (2, 2), (3, 3)])
def test_logs_rotate_and_old_ones_go(tmp_path: Path, files: int, kept: int) -> None:
    write_to(tmp_path, files=files)
    for _ in range(40):
        logging.getLogger("x").info("y" * 100_000)
    found = list(tmp_path.iterdir())
    assert len(found) == kept
    assert all(path.stat().st_size <= 1_000_000 for path in found)


def aged(path: Path, days: float) -> Path:
    path.write_text("{}\n")
    os.utime(path, (time.time() - days * 86400,) * 2)
    return path


def test_rotated_files_also_go_by_age_at_the_start_and_at_each_rotation(tmp_path: Path) -> None:
    old, older = aged(tmp_path / "service.log.2", 31), aged(tmp_path / "service.log.7", 400)
    young, running = aged(tmp_path / "service.log.1", 29), aged(tmp_path / "service.log", 31)
    others = [
        aged(tmp_path / name, 400) for name in ("audit.jsonl", "tray.log.1", "service.log.1.zip", "service.log.txt")
    ]
    write_to(tmp_path, files=10, days=30)
    assert not old.exists()
    assert not older.exists()
    assert young.exists()
    assert running.exists()
    aged(young, 31)
    for _ in range(12):
        logging.getLogger("x").info("y" * 100_000)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"service.log", "service.log.1", *(path.name for path in others)}


def test_several_processes_do_not_share_a_file(tmp_path: Path) -> None:
    write_to(tmp_path, to_file=False)
    logging.getLogger("x").info("y")
    assert list(tmp_path.iterdir()) == []


def test_a_request_leaves_one_line_with_its_id_and_no_key_ever(data_root: Path) -> None:
    settings = settings_for(data_root, BACKEND_API_KEY="line-2:t0p-s3cret")
    with serving(settings) as client:
        write_to(data_root / "logs", level="DEBUG")
        headers = {"X-API-Key": "t0p-s3cret", "X-Request-Id": "r-7"}
        client.headers.update(headers)
        infer(client)
        client.headers["X-API-Key"] = "wr0ng-s3cret"
        infer(client)
        client.post(f"/infer?api_key={'t0p-s3cret'}", data=FORM)
        for _ in range(3):
            client.get("/health")
    written = [line for line in lines(data_root / "logs") if line["logger"].startswith("service")]  # not the client's
    assert "s3cret" not in json.dumps(written)
    asked = [line for line in written if line["logger"] == "service.access"]
    assert [(line["path"], line["status"], line["request_id"]) for line in asked] == [
        ("/infer", 200, "r-7"),
        ("/infer", 401, "r-7"),
        ("/infer", 401, "r-7"),
    ]
    assert max(len(json.dumps(line)) for line in written) < 5000  # no image bytes


def test_a_full_disk_costs_log_lines_not_inspections(data_root: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    logs = data_root / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "service.log").symlink_to("/dev/full")
    with serving(settings_for(data_root)) as client:
        write_to(logs)
        assert infer(client).json()["verdict"] == "OK"
