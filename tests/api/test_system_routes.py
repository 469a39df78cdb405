"""Looking after the service over HTTP: audit, logs, settings, keys and a new start; by several workers too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from service.settings import SETTINGS_FILE, Settings, read_settings
from service.store.state.settings_file import SettingsFile
from tests.kit.parts import assert_problem, serving, wait_until
from tests.kit.processes import free_port

AWKWARD = [
    "plain", r"C:\Data\Brake disc", r"\\server\share\ñandú", "a # b", "it's", 'say "so"', "$HOME", " led", "",
    "a=b", "`x`", "back\\", "línea-1:k",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("BACKEND_", "UVICORN_", "PATCHCORE_")):
            monkeypatch.delenv(name)


def put(client: TestClient, **values: str | None) -> httpx.Response:
    return client.put("/settings", json={"values": values})


def setting(client: TestClient, name: str) -> dict[str, Any]:
    [found] = [each for each in client.get("/settings").json()["settings"] if each["name"] == name]
    return dict(found)


def audited(client: TestClient, action: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get("/audit", params={"action": action}).json()["entries"]
    return entries


# Audit


def test_the_audit_log_is_read_newest_first_by_action_and_in_pages(client: TestClient) -> None:
    for why in ("one", "two", "three"):
        client.post("/admin/freeze", json={"why": why})
        client.post("/admin/unfreeze")
    everything = client.get("/audit").json()["entries"]
    assert [entry["seq"] for entry in everything] == list(range(len(everything), 0, -1))
    frozen = audited(client, "freeze")
    assert [entry["new"]["why"] for entry in frozen] == ["three", "two", "one"]
    assert frozen[0]["who"] == "anybody"
    assert frozen[0]["station"] == "testclient"
    page = client.get("/audit", params={"limit": 2, "before": everything[1]["seq"]}).json()["entries"]
    assert page == everything[2:4]
    assert audited(client, "never") == []


def test_a_changed_audit_log_is_told(client: TestClient, settings: Settings) -> None:
    for _ in range(3):
        client.post("/admin/freeze", json={"why": "audit"})
    whole = client.post("/audit/verify").json()
    assert (whole["intact"], whole["problem"]) == (True, None)
    assert whole["n"] == len(client.get("/audit").json()["entries"])
    path = settings.data_root / "logs" / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"why": "audit"', b'"why": "chaos"', 1))
    changed = client.post("/audit/verify").json()
    assert changed["intact"] is False
    assert "was changed" in changed["problem"]


# Logs


def test_logs_are_listed_and_followed_over_a_rotation(client: TestClient, settings: Settings) -> None:
    folder = settings.data_root / "logs"
    for name, text in (
        ("service.log", "one\ntwo\nhal"), ("service.log.1", "old\n"), ("tray.log", "t\n"), ("secret.txt", "no\n"),
    ):  # fmt: skip
        (folder / name).write_text(text)
    assert [file["name"] for file in client.get("/logs").json()["logs"]] == ["service.log", "service.log.1", "tray.log"]
    first = client.get("/logs/service.log").json()
    assert (first["lines"], first["next"]) == (["one", "two"], 8)  # half a line is not one
    with open(folder / "service.log", "a") as file:
        file.write("f\nfour ñ\n")
    more = client.get("/logs/service.log", params={"after": first["next"]}).json()
    assert more["lines"] == ["half", "four ñ"]
    assert client.get("/logs/service.log", params={"after": more["next"]}).json()["lines"] == []
    (folder / "service.log").write_text("new\n")  # rotated
    again = client.get("/logs/service.log", params={"after": more["next"]}).json()
    assert (again["lines"], again["after"]) == (["new"], 0)


def test_the_end_of_a_long_log_begins_with_a_whole_line(client: TestClient, settings: Settings) -> None:
    lines = [f"line {number:05}" for number in range(1000)]
    (settings.data_root / "logs" / "service.log").write_text("\n".join(lines) + "\n")
    end = client.get("/logs/service.log", params={"limit_bytes": 1024}).json()
    assert end["lines"] == lines[-len(end["lines"]) :]
    assert 90 <= len(end["lines"]) <= 94
    (settings.data_root / "logs" / "service.log").write_text("x" * 5000)
    assert client.get("/logs/service.log", params={"after": 0, "limit_bytes": 1024}).json()["next"] == 1024


@pytest.mark.parametrize(
    "name", ["none.log", "..%2Fsettings.env", "audit.jsonl", "%2Fetc%2Fpasswd", "service.log%00", "..\\settings.log"]
)
def test_no_other_file_is_read_as_a_log(client: TestClient, settings: Settings, name: str) -> None:
    (settings.data_root / "settings.env").write_text("BACKEND_LOG_LEVEL=INFO\n")
    assert_problem(client.get(f"/logs/{name}"), 404)


# Settings


def test_settings_say_what_they_are_where_they_come_from_and_what_is_in_force(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKEND_LOG_LEVEL", "WARNING")
    settings.data_root.mkdir(parents=True)
    (settings.data_root / SETTINGS_FILE).write_text("BACKEND_KEEP_NG_DAYS=365\nBACKEND_API_KEY=line:hush-123\n")
    with serving(read_settings(BACKEND_DATA_ROOT=settings.data_root, BACKEND_MIN_FREE_MB=0)) as client:
        client.headers["X-API-Key"] = "hush-123"
        shown = client.get("/settings")
        assert "hush-123" not in shown.text
        level, days, key = (setting(client, f"BACKEND_{name}") for name in ("LOG_LEVEL", "KEEP_NG_DAYS", "API_KEY"))
        assert (level["source"], level["value"], level["kind"]) == ("environment", "WARNING", "choice")
        assert level["choices"] == ["DEBUG", "INFO", "WARNING", "ERROR"]
        assert (days["source"], days["value"], days["running"], days["default"]) == ("file", "365", "365", "90")
        assert (days["kind"], days["minimum"], days["maximum"]) == ("integer", 1, None)
        assert days["help"]["es"].startswith("Días")
        assert (key["kind"], key["value"], key["running"], key["set"]) == ("secret", "", "", True)
        assert setting(client, "BACKEND_MAX_IMAGE_MPX")["maximum"] == 170
        assert_problem(put(client, BACKEND_LOG_LEVEL="INFO"), 409, "BACKEND_LOG_LEVEL", "environment variable")


def test_changed_settings_wait_for_a_new_start_and_are_noted(settings: Settings) -> None:
    settings.data_root.mkdir(parents=True)
    file = settings.data_root / SETTINGS_FILE
    file.write_text("# of the plant\nBACKEND_KEEP_NG_DAYS=100 # a year\nOTHER=1\n")
    with serving(read_settings(BACKEND_DATA_ROOT=settings.data_root, BACKEND_MIN_FREE_MB=1024)) as client:
        assert client.get("/settings").json()["restart_needed"] is False
        answer = put(client, BACKEND_KEEP_NG_DAYS="365", BACKEND_BACKUP_DIR=r"\\nas\copies of line 1").json()
        assert answer["restart_needed"] is True
        assert setting(client, "BACKEND_KEEP_NG_DAYS")["running"] == "100"
        assert file.read_text().splitlines() == [
            "# of the plant", "BACKEND_KEEP_NG_DAYS=365", "OTHER=1", r"BACKEND_BACKUP_DIR='\\\\nas\\copies of line 1'",
        ]  # fmt: skip
        [entry] = audited(client, "settings_change")
        assert entry["old"] == {"BACKEND_KEEP_NG_DAYS": "100", "BACKEND_BACKUP_DIR": None}
        assert entry["new"]["BACKEND_KEEP_NG_DAYS"] == "365"
        put(client, BACKEND_BACKUP_DIR=None, BACKEND_KEEP_NG_DAYS="100")
        assert client.get("/settings").json()["restart_needed"] is False
        assert "BACKUP_DIR" not in file.read_text()
    following = read_settings(BACKEND_DATA_ROOT=settings.data_root)
    assert (following.keep_ng_days, following.backup_dir) == (100, None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"BACKEND_PORT": "70000"}, "BACKEND_PORT: "),
        ({"BACKEND_PORT": "many", "BACKEND_KEEP_MB": "-1"}, "BACKEND_KEEP_MB: "),
        ({"BACKEND_LOG_LEVEL": "LOUD"}, "must be DEBUG"),
        ({"BACKEND_HOST": "0.0.0.0"}, "BACKEND_HOST=0.0.0.0 is reachable"),
        ({"BACKEND_KEEP_OK_DAYS": "100"}, "BACKEND_KEEP_NG_DAYS=90 is less"),
        ({"BACKEND_NEVER": "1"}, "BACKEND_NEVER: there is no such setting"),
        ({"BACKEND_API_KEY": "a:b"}, "POST /keys"),
        ({"BACKEND_DATA_ROOT": "/elsewhere"}, "environment variable"),
        ({"BACKEND_DEVICE": "cpu\nBACKEND_PORT=1"}, "BACKEND_DEVICE: settings.env cannot hold line breaks"),
        ({"BACKEND_DEVICE": "${PATH}"}, "BACKEND_DEVICE: settings.env cannot hold"),
    ],
)
def test_what_the_next_start_would_refuse_is_refused_and_nothing_is_written(
    client: TestClient, settings: Settings, values: dict[str, str], said: str
) -> None:
    assert_problem(put(client, BACKEND_QUEUE_SIZE="8", **values), 422, said)
    assert not (settings.data_root / SETTINGS_FILE).exists()


@pytest.mark.parametrize("value", AWKWARD)
def test_the_settings_file_keeps_any_value_as_it_is(tmp_path: Path, value: str) -> None:
    file = SettingsFile(tmp_path / "settings.env")
    (tmp_path / "settings.env").write_bytes("\ufeff# ñ\nA=1\nexport X=old\nX=older\n".encode())
    file.change({"X": value})
    assert file.values() == {"A": "1", "X": value}
    assert (tmp_path / "settings.env").read_text("utf-8").startswith("# ñ\nA=1\n")
    file.change({"X": None})
    assert file.values() == {"A": "1"}


# Keys


def test_a_key_is_made_shown_once_in_force_at_once_and_taken_away(client: TestClient, settings: Settings) -> None:
    assert client.get("/keys").json()["keys"] == []
    made = client.post("/keys", json={"name": "line 2"}).json()
    assert len(made["key"]) > 40
    assert_problem(client.get("/keys"), 401)
    mine = {"X-API-Key": made["key"]}
    listed = client.get("/keys", headers=mine)
    assert listed.json()["keys"] == [{"name": "line 2"}]
    assert made["key"] not in listed.text
    assert_problem(client.post("/keys", json={"name": "line 2"}, headers=mine), 409, "already")
    second = client.post("/keys", json={"name": "audit"}, headers=mine).json()["key"]
    assert client.delete("/keys/line 2", headers=mine).json()["deleted"] == 1
    assert_problem(client.get("/keys", headers=mine), 401)
    yours = {"X-API-Key": second}
    assert_problem(client.delete("/keys/line 2", headers=yours), 404)
    entries = client.get("/audit", headers=yours).json()["entries"]
    noted = [entry for entry in entries if entry["action"].startswith("key_")]
    assert [(entry["action"], entry["target"], entry["who"]) for entry in noted] == [
        ("key_delete", {"key": "line 2"}, "line 2"), ("key_add", {"key": "audit"}, "line 2"),
        ("key_add", {"key": "line 2"}, "anybody"),
    ]  # fmt: skip
    log = (settings.data_root / "logs" / "audit.jsonl").read_text()
    assert made["key"] not in log
    assert client.delete("/keys/audit", headers=yours).json()["deleted"] == 1
    assert client.get("/keys").status_code == 200  # no key: this PC alone


@pytest.mark.parametrize("name", ["", "a:b", "a,b", " led", "x" * 61, "a\nb"])
def test_a_name_that_the_file_could_not_tell_from_a_key_is_refused(client: TestClient, name: str) -> None:
    assert_problem(client.post("/keys", json={"name": name}), 422)


def test_the_last_key_of_a_service_in_the_network_stays(settings: Settings) -> None:
    settings.data_root.mkdir(parents=True)
    file = settings.data_root / SETTINGS_FILE
    file.write_text("BACKEND_HOST=0.0.0.0\nBACKEND_API_KEY=line:first\n")
    with serving(read_settings(BACKEND_DATA_ROOT=settings.data_root, BACKEND_MIN_FREE_MB=0)) as client:
        client.headers["X-API-Key"] = "first"
        assert_problem(client.delete("/keys/line"), 409, "last key")
        file.write_text("BACKEND_HOST=0.0.0.0\n")  # by hand, or lost
        assert client.get("/keys").status_code == 200
        assert client.get("/keys", headers={"X-API-Key": ""}).status_code == 401


def test_keys_of_the_environment_are_not_changed_here(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_API_KEY", "line:first")
    with serving(read_settings(BACKEND_DATA_ROOT=settings.data_root, BACKEND_MIN_FREE_MB=0)) as client:
        client.headers["X-API-Key"] = "first"
        assert client.get("/keys").json()["from_environment"] is True
        assert_problem(client.post("/keys", json={"name": "two"}), 409, "BACKEND_API_KEY")
        assert_problem(client.delete("/keys/line"), 409, "BACKEND_API_KEY")


# A new start


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def started(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The real service: its address, its process."""
    port = free_port()
    environment = {
        **os.environ, "BACKEND_DATA_ROOT": str(tmp_path / "data"), "BACKEND_PORT": str(port),
        "BACKEND_MIN_FREE_MB": "0", "BACKEND_BACKUP_HOUR": "-1", "UVICORN_WORKERS": str(request.param),
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", "service"], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()


@pytest.fixture
def running(started: tuple[str, subprocess.Popen[bytes]]) -> str:
    return started[0]


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="several workers are a matter of Linux")
def test_a_new_start_takes_the_new_settings_and_new_keys_count_in_every_worker(running: str) -> None:
    with httpx.Client(base_url=running, timeout=30, trust_env=False) as client:

        def in_force() -> str:
            """Empty while nobody answers: each call may meet another worker, one that is just going too."""
            try:
                answer = client.get("/settings", headers={"Connection": "close"})
            except httpx.TransportError:
                return ""
            found = answer.json()["settings"] if answer.status_code == 200 else []
            return next((str(each["running"]) for each in found if each["name"] == "BACKEND_KEEP_NG_DAYS"), "")

        wait_until(in_force, 90)
        body = {"values": {"BACKEND_KEEP_NG_DAYS": "365"}}
        assert client.put("/settings", json=body).json()["restart_needed"] is True
        assert in_force() == "90"
        assert client.post("/admin/restart").status_code == 202
        wait_until(lambda: {in_force() for _ in range(10)} == {"365"}, 90)  # whichever worker answers
        made = client.post("/keys", json={"name": "line"}).json()["key"]
        asked = [client.get("/keys", headers={"Connection": "close"}).status_code for _ in range(20)]
        assert set(asked) == {401}
        client.headers["X-API-Key"] = made
        entries = client.get("/audit", params={"action": "service_restart"}).json()["entries"]
        assert len(entries) == 1
        assert json.dumps(entries).count(made) == 0


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="several workers are a matter of Linux")
@pytest.mark.parametrize("later_s", [0.0, 0.6, 1.5])
def test_asked_to_stop_while_it_starts_anew_it_stops(
    started: tuple[str, subprocess.Popen[bytes]], later_s: float
) -> None:
    url, process = started
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        wait_until(lambda: _answers(client), 90)
        assert client.post("/admin/restart").status_code == 202
    time.sleep(later_s)
    process.terminate()
    assert process.wait(60) in (0, -15)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/settings").status_code == 200
    except httpx.TransportError:
        return False
