"""The supervisor's loop over a real program: it starts, watches, replaces, gives up, adopts, stops."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from service.settings import SettingsError
from tests.kit.parts import wait_until
from tests.kit.tray_parts import FIRST_DELAY_S, GENEROUS_S, NEVER_GIVE_UP, SHORT, Small, is_gone, supervised, wait_for
from tray.supervise.policy import RestartPolicy
from tray.supervise.program import Program
from tray.supervise.status import State, Status

pytestmark = pytest.mark.system


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "small")


def test_it_starts_tells_and_stops_by_asking(small: Small) -> None:
    seen: list[Status] = []
    with supervised(small) as supervisor:
        supervisor.watch(seen.append)
        ready = wait_for(supervisor, State.READY)
        assert ready.pid == small.noted("starts")[0]
        assert ready.health["device"] == "cpu"
        supervisor.stop()
        stopped = wait_for(supervisor, State.STOPPED)
        assert stopped.pid is None
        assert is_gone(ready.pid)
        assert small.noted("stops") == [ready.pid]  # it was asked, and ended by itself
    assert [status.state for status in seen][-3:] == [State.READY, State.STOPPING, State.STOPPED]


def test_what_the_program_says_about_itself_is_the_state(small: Small) -> None:
    with supervised(small) as supervisor:
        wait_for(supervisor, State.READY)
        small.set("health.json", {"status": "degraded", "code": "disk_low", "reason": "The disk is nearly full."})
        assert wait_for(supervisor, State.DEGRADED, "disk_low").reason == "The disk is nearly full."
        small.set("health.json", {"status": "loading", "reason": "Loading the backbone."})
        wait_for(supervisor, State.STARTING, "loading")
        small.set("health.json", {"status": "error", "code": "not_ready", "reason": "The data root is gone."})
        wait_for(supervisor, State.DOWN, "not_ready")
        small.unset("health.json")
        wait_for(supervisor, State.READY)
        assert len(small.noted("starts")) == 1


def test_a_killed_program_is_started_again_and_what_it_started_is_ended(small: Small) -> None:
    small.set("grandchild")
    with supervised(small) as supervisor:
        pid, grandchild = wait_for(supervisor, State.READY).pid, small.grandchild()
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(small.noted("starts")) == 2, GENEROUS_S)
        status = wait_for(supervisor, State.READY)
        assert (status.pid, status.crashes) == (small.noted("starts")[1], 1)
        assert is_gone(grandchild.pid)


def test_after_five_crashes_it_gives_up_with_the_last_words_until_somebody_says_start(small: Small) -> None:
    small.set("crash")
    policy = RestartPolicy(max_crashes=3, window_s=300, first_delay_s=FIRST_DELAY_S)
    with supervised(small, policy=policy) as supervisor:
        gave_up = wait_for(supervisor, State.DOWN, "gave_up")
        assert "3 times within 5 minutes" in gave_up.reason
        assert gave_up.crashes == 3
        assert gave_up.last_lines == ("about to crash", "no CUDA today")
        starts = len(small.noted("starts"))
        time.sleep(2.5 * FIRST_DELAY_S)  # longer than the longest delay so far
        assert len(small.noted("starts")) == starts == 3
        small.unset("crash")
        supervisor.start()
        ready = wait_for(supervisor, State.READY)
        assert (ready.crashes, ready.last_lines) == (0, ())


def test_a_program_that_never_gets_ready_is_started_after_longer_and_longer(small: Small) -> None:
    small.set("crash")
    with supervised(small, policy=NEVER_GIVE_UP):
        wait_until(lambda: len(small.noted("starts")) == 4, GENEROUS_S)
    assert_later_and_later(small, 3)


def assert_later_and_later(small: Small, count: int) -> None:
    """Between two starts lies at least the delay, and its double the next time; a tenth is left to rounding."""
    times = [float(line.split()[1]) for line in (small.folder / "starts").read_text().splitlines()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap > (2**number - 0.1) * FIRST_DELAY_S for number, gap in enumerate(gaps[:count])), gaps


def test_a_hung_program_is_replaced(small: Small) -> None:
    with supervised(small) as supervisor:
        pid = wait_for(supervisor, State.READY).pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        wait_for(supervisor, State.DEGRADED, "no_answer")
        wait_until(lambda: len(small.noted("starts")) == 2, GENEROUS_S)
        status = wait_for(supervisor, State.READY)
        assert status.pid != pid
        assert status.crashes == 1
        assert is_gone(pid)


def test_a_program_that_hangs_while_it_starts_is_replaced(small: Small) -> None:
    small.set("silent")
    with supervised(small) as supervisor:
        status = wait_for(supervisor, State.DOWN, "hung")
        small.unset("silent")
        assert "not answered for" in status.reason
        wait_for(supervisor, State.READY)
        assert is_gone(small.noted("starts")[0])


def test_a_program_that_does_not_stop_is_ended_with_everything_it_started(small: Small) -> None:
    small.set("grandchild")
    small.set("stubborn")
    with supervised(small) as supervisor:
        pid, grandchild = wait_for(supervisor, State.READY).pid, small.grandchild()
        supervisor.stop()
        wait_for(supervisor, State.STOPPED)
        assert small.noted("stops") == []
        assert pid
        assert is_gone(pid)
        assert is_gone(grandchild.pid)


def test_a_taken_port_is_named_and_waited_for(small: Small) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", small.port))
        other.listen()
        with supervised(small) as supervisor:
            status = wait_for(supervisor, State.DOWN, "port_taken")
            assert f"{psutil.Process().name()} (process {os.getpid()}) uses port {small.port}" in status.reason
            assert "BACKEND_PORT" in status.reason
            assert small.noted("starts") == []
            other.close()
            wait_for(supervisor, State.READY)
            assert supervisor.status.crashes == 0


def test_a_service_of_ours_that_runs_already_is_adopted_and_replaced_when_it_ends(small: Small) -> None:
    with subprocess.Popen(small.program.command, stdin=subprocess.PIPE) as running:
        try:
            wait_until(lambda: small.noted("starts"), GENEROUS_S)
            wait_until(lambda: psutil.Process(running.pid).net_connections(), GENEROUS_S)
            with supervised(small) as supervisor:
                adopted = wait_for(supervisor, State.READY)
                assert (adopted.adopted, adopted.pid) == (True, running.pid)
                assert len(small.noted("starts")) == 1
                assert running.stdin
                running.stdin.close()
                running.wait(GENEROUS_S)
                wait_until(lambda: len(small.noted("starts")) == 2, GENEROUS_S)
                own = wait_for(supervisor, State.READY)
                assert (own.adopted, own.crashes) == (False, 0)
        finally:
            running.kill()


def test_an_adopted_service_is_stopped_by_its_number(small: Small) -> None:
    with subprocess.Popen(small.program.command, stdin=subprocess.PIPE) as running:
        try:
            wait_until(lambda: psutil.Process(running.pid).net_connections(), GENEROUS_S)
            with supervised(small) as supervisor:
                assert wait_for(supervisor, State.READY).adopted
                supervisor.stop()
                wait_for(supervisor, State.STOPPED)
                assert running.wait(GENEROUS_S) is not None
        finally:
            running.kill()


def test_a_lost_gpu_is_latched_until_a_person_starts(small: Small) -> None:
    small.set("health.json", {"device": "cuda:0"})
    with supervised(small) as supervisor:
        wait_for(supervisor, State.READY)
        small.set("health.json", {"device": "cpu"})
        lost = wait_for(supervisor, State.DEGRADED, "gpu_lost")
        assert lost.gpu_lost_utc
        small.set("health.json", {"device": "cuda:0"})
        time.sleep(0.5)
        assert supervisor.status.code == "gpu_lost"  # it was lost: who knows what else
    with supervised(small) as supervisor:  # another supervisor, another day
        assert wait_for(supervisor, State.DEGRADED, "gpu_lost").gpu_lost_utc == lost.gpu_lost_utc
        supervisor.start()
        assert wait_for(supervisor, State.READY).gpu_lost_utc is None


def test_a_service_that_lost_its_gpu_is_restarted_but_not_in_a_tight_loop(small: Small) -> None:
    small.set("health.json", {"status": "error", "code": "device_lost", "reason": "CUDA error: unspecified failure"})
    with supervised(small, policy=NEVER_GIVE_UP) as supervisor:
        wait_until(lambda: len(small.noted("starts")) == 3, GENEROUS_S)
        status = wait_for(supervisor, State.DOWN, "gpu_lost")
        assert "CUDA error" in status.reason
        small.set("health.json", {"device": "cuda:0"})
        assert wait_for(supervisor, State.DEGRADED, "gpu_lost").gpu_lost_utc
    assert_later_and_later(small, 2)


class SleepyClock:
    """The system's clock, from which hours can be missing."""

    def __init__(self, monotonic_stands_still: bool) -> None:
        self.slept, self._still = 0.0, monotonic_stands_still

    def monotonic(self) -> float:
        return time.monotonic() + (0 if self._still else self.slept)

    def time(self) -> float:
        return time.time() + self.slept


@pytest.mark.parametrize("monotonic_stands_still", [True, False], ids=["linux", "windows"])
def test_after_sleep_nothing_is_judged_by_the_hours_that_are_missing(
    small: Small, monotonic_stands_still: bool
) -> None:
    clock = SleepyClock(monotonic_stands_still)
    with supervised(small, clock=clock) as supervisor:
        pid = wait_for(supervisor, State.READY).pid
        assert pid
        os.kill(pid, signal.SIGSTOP)  # as slow to wake up as the rest of the PC
        time.sleep(0.3)
        clock.slept = 8 * 3600
        time.sleep(0.8)
        os.kill(pid, signal.SIGCONT)
        wait_for(supervisor, State.READY)
        time.sleep(0.3)
        assert (supervisor.status.pid, supervisor.status.crashes) == (pid, 0)


def test_settings_are_read_again_before_every_start_and_broken_ones_said(small: Small) -> None:
    broken = ["BACKEND_PORT: must be a number"]

    def read_program() -> Program:
        if broken:
            raise SettingsError(broken[0])
        return small.program

    with supervised(small, read_program=read_program) as supervisor:
        assert wait_for(supervisor, State.DOWN, "settings").reason == broken[0]
        broken.clear()
        wait_for(supervisor, State.READY)


def test_a_program_that_is_not_there_is_named(small: Small, tmp_path: Path) -> None:
    missing = Program("gone", (str(tmp_path / "BrakeDiscService.exe"),), "127.0.0.1", small.port)
    with supervised(small, read_program=lambda: missing, timing=SHORT) as supervisor:
        assert "BrakeDiscService.exe cannot be started" in wait_for(supervisor, State.DOWN, "cannot_start").reason
