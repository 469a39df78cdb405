"""Kill -9 of the service under load, and of its supervisor: it is back, nothing answered is lost, nothing is left."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from tests.kit.depth import rounds
from tests.kit.parts import infer, wait_until
from tests.kit.tray_parts import (
    GENEROUS_S,
    NEVER_GIVE_UP,
    SHORT,
    Small,
    is_gone,
    supervised,
    tray_environment,
    twin_program,
    wait_for,
)
from tray.supervise.policy import Timing
from tray.supervise.process import descendants_of
from tray.supervise.program import Program
from tray.supervise.status import State, Status

pytestmark = pytest.mark.system


class Station:
    """Inspects one part after the other; what it got an answer for, it remembers."""

    def __init__(self, program: Program) -> None:
        self.answered: list[str] = []
        self._url, self._stop = f"http://127.0.0.1:{program.port}", threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=GENEROUS_S) as client:
            while not self._stop.is_set():
                try:
                    answer = infer(client)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    self.answered.append(answer.json()["inspection_id"])
                else:
                    assert answer.status_code == 503, answer.text
                    time.sleep(0.05)


ROUNDS = rounds(5, 50)


@pytest.fixture
def stations(twin: Program) -> Iterator[list[Station]]:
    stations = [Station(twin) for _ in range(2)]
    yield stations
    for station in stations:
        station.close()


@pytest.fixture
def twin(data_root: Path) -> Program:
    return twin_program(data_root)


def recorded(data_root: Path) -> set[str]:
    with closing(sqlite3.connect(data_root / "records.sqlite")) as database:
        return {row[0] for row in database.execute("SELECT inspection_id FROM inspections")}


def count(stations: list[Station]) -> int:
    return sum(len(station.answered) for station in stations)


def is_ready_again(status: Status, old_pid: int) -> bool:
    return status.state is State.READY and status.pid != old_pid


@pytest.mark.scaled
def test_a_service_killed_again_and_again_under_load_is_back_each_time_and_has_lost_no_answer(
    twin: Program, data_root: Path, tmp_path: Path, stations: list[Station]
) -> None:
    chance, killed, back_s = random.Random(1), [], []
    before = descendants_of(os.getpid())  # other tests' helpers
    slow = replace(SHORT, hang_s=30, start_hang_s=60)  # none hangs here: a busy machine is no fault
    program = Small(tmp_path / "log")
    with supervised(program, read_program=lambda: twin, policy=NEVER_GIVE_UP, timing=slow) as supervisor:
        for _ in range(ROUNDS):
            pid = wait_for(supervisor, State.READY).pid
            assert pid
            answers = count(stations)
            wait_until(lambda so_far=answers: count(stations) > so_far, GENEROUS_S)
            time.sleep(chance.random() * 0.2)
            begun = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda old=pid: is_ready_again(supervisor.status, old), GENEROUS_S)
            back_s.append(time.monotonic() - begun)
            killed.append(pid)
        last = wait_for(supervisor, State.READY).pid
        assert [process.pid for process in descendants_of(os.getpid()) if process not in before] == [last]
    print(f"back after {statistics.median(back_s):.1f} s (median), {max(back_s):.1f} s (longest)")
    assert len(set(killed)) == ROUNDS
    answered = {inspection for station in stations for inspection in station.answered}
    assert len(answered) >= ROUNDS
    assert answered - recorded(data_root) == set()


def test_an_inspection_under_way_is_finished_and_recorded_when_the_service_is_stopped(
    data_root: Path, tmp_path: Path
) -> None:
    slow, answers = twin_program(data_root, TWIN_EMBED_S="1.5"), []
    with supervised(Small(tmp_path / "log"), read_program=lambda: slow, timing=Timing()) as supervisor:
        wait_for(supervisor, State.READY)
        with httpx.Client(base_url=f"http://127.0.0.1:{slow.port}", timeout=GENEROUS_S) as client:
            station = threading.Thread(target=lambda: answers.append(infer(client)))
            station.start()
            time.sleep(0.5)
            assert answers == []
            supervisor.stop()
            wait_for(supervisor, State.STOPPED)
            station.join()
    assert answers[0].status_code == 200
    assert answers[0].json()["inspection_id"] in recorded(data_root)


@pytest.mark.parametrize("settle_s", [0.0, 6.0], ids=["while they start", "when they serve"])
def test_when_the_supervisor_is_killed_its_service_and_all_workers_go_with_it(
    tmp_path: Path, short_folder: Path, settle_s: float
) -> None:
    environment = tray_environment(tmp_path, short_folder, UVICORN_WORKERS="2")
    with subprocess.Popen([sys.executable, "-m", "tray", "--headless"], env=environment) as tray:
        try:
            wait_until(lambda: len(_services(tray.pid)) == 3, GENEROUS_S)
            time.sleep(settle_s)
            family = descendants_of(tray.pid)
        finally:
            tray.kill()
    wait_until(lambda: all(is_gone(process.pid) for process in family), GENEROUS_S)


def _services(pid: int) -> list[psutil.Process]:
    return [process for process in descendants_of(pid) if _is_service(process)]


def _is_service(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())  # the screens, too, are the supervisor's
        return "resource_tracker" not in command and "-m gui" not in command
    except psutil.Error:  # it ends right now
        return False
