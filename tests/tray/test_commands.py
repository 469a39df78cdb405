"""`tray --start | --status | --stop`, a second start, and what a killed supervisor leaves behind: real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.kit.parts import wait_until
from tests.kit.tray_parts import GENEROUS_S, is_gone, tray_environment

pytestmark = pytest.mark.system


class Tray:
    """The command line, on a PC of this test's own."""

    def __init__(self, folder: Path, temporary: Path, **environment: str) -> None:
        self.environment = tray_environment(folder, temporary, **environment)
        self.log = folder / "data" / "logs" / "tray.log"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tray", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=GENEROUS_S, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run("--status").stdout)
        return answer

    def serving(self) -> dict[str, Any]:
        """The status once the service answers, whatever it says."""
        wait_until(lambda: self.status().get("health"), GENEROUS_S)
        return self.status()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@pytest.fixture
def tray(tmp_path: Path, short_folder: Path) -> Iterator[Tray]:
    tray = Tray(tmp_path, short_folder)
    yield tray
    tray.run("--stop")


def test_start_status_second_start_and_stop(tray: Tray) -> None:
    assert tray.run("--start", "--headless").returncode == 0
    status = tray.serving()
    assert status["running"] is True
    assert status["state"] in ("starting", "ready")
    assert status["health"]["product"] == "brakedisc-inspector"

    assert tray.run("--headless").returncode == 0  # does not stay: the other one was told
    assert [event["event"] for event in tray.events()].count("second start") == 1

    assert tray.run("--start").returncode == 0
    assert tray.status()["supervisor_pid"] == status["supervisor_pid"]

    stopped = tray.run("--stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
    assert is_gone(status["supervisor_pid"])
    assert is_gone(status["pid"])
    assert tray.events()[-1]["event"] == "ended"


def test_stop_and_status_where_nothing_runs(tray: Tray) -> None:
    assert tray.run("--stop").returncode == 0
    answer = tray.run("--status")
    assert answer.returncode == 3
    assert json.loads(answer.stdout) == {"running": False, "reason": "The supervisor does not run."}


def test_what_a_killed_supervisor_left_is_recognised_as_old(tray: Tray) -> None:
    tray.run("--start", "--headless")
    status = tray.serving()
    os.kill(status["supervisor_pid"], signal.SIGKILL)
    wait_until(lambda: is_gone(status["supervisor_pid"]) and is_gone(status["pid"]), GENEROUS_S)
    left = {path.name for path in Path(tray.environment["TMPDIR"]).glob("brakedisc-tray-*/*")}
    assert left == {"control", "key", "process.json"}
    assert tray.run("--status").returncode == 3
    assert tray.run("--stop").returncode == 0
    assert tray.run("--start", "--headless").returncode == 0
    assert tray.serving()["supervisor_pid"] != status["supervisor_pid"]


def test_a_process_that_has_the_number_of_a_killed_supervisor_is_left_alone(tray: Tray) -> None:
    tray.run("--start", "--headless")
    status = tray.serving()
    os.kill(status["supervisor_pid"], signal.SIGKILL)
    noted = next(Path(tray.environment["TMPDIR"]).glob("brakedisc-tray-*/process.json"))
    noted.write_text(json.dumps([os.getpid(), psutil.Process().create_time() - 100]))
    assert tray.run("--stop").returncode == 0  # and this test lives


def test_a_supervisor_that_no_longer_listens_is_stopped_all_the_same(tray: Tray) -> None:
    tray.run("--start", "--headless")
    status = tray.serving()
    os.kill(status["supervisor_pid"], signal.SIGSTOP)
    assert tray.run("--stop").returncode == 0
    assert is_gone(status["supervisor_pid"])
    wait_until(lambda: is_gone(status["pid"]), GENEROUS_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_in_a_clean_stop(tray: Tray, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-m", "tray", "--headless"], env=tray.environment) as process:
        service = tray.serving()["pid"]
        process.send_signal(number)
        assert process.wait(GENEROUS_S) == 0
    assert is_gone(service)
    assert [event["event"] for event in tray.events()][-2:] == ["state", "ended"]


def test_settings_that_contradict_each_other_are_said_in_one_sentence(tmp_path: Path, short_folder: Path) -> None:
    tray = Tray(tmp_path, short_folder, TRAY_MAX_CRASHES="-1")
    for arguments in (["--headless"], ["--start"]):
        answer = tray.run(*arguments)
        assert answer.returncode == 2
        assert answer.stderr.startswith("TRAY_MAX_CRASHES: ")
        assert answer.stderr.count("\n") == 1
    assert tray.events()[-1]["reason"].startswith("TRAY_MAX_CRASHES: ")
    assert tray.run("--status").returncode == 3


def test_a_caller_without_the_key_is_refused_and_one_who_says_nothing_holds_up_nobody(tray: Tray) -> None:
    tray.run("--start", "--headless")
    folder = next(Path(tray.environment["TMPDIR"]).glob("brakedisc-tray-*"))
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "key").stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(folder / "control"))
        assert tray.status()["running"] is True
    with Client(str(folder / "control"), "AF_UNIX") as stranger:
        stranger.recv_bytes()
        stranger.send_bytes(b"guessed" + bytes(57))
        with pytest.raises((EOFError, ConnectionResetError)):
            stranger.recv_bytes()
    refused = [event["reason"] for event in tray.events() if event["event"] == "refused a caller"]
    assert "the caller does not know the key" in refused
    assert tray.status()["running"] is True


def test_what_answers_without_knowing_the_key_is_not_believed(tray: Tray) -> None:
    tray.run("--start", "--headless")
    noted = next(Path(tray.environment["TMPDIR"]).glob("brakedisc-tray-*/key"))
    key = noted.read_bytes()
    noted.write_bytes(b"another")
    assert tray.run("--status").returncode == 3
    noted.write_bytes(key)
    assert tray.status()["running"] is True
