"""When a program is started again, and when it is given up on, as tables over a clock that the test turns."""

from __future__ import annotations

import pytest

from tray.supervise.policy import History, RestartPolicy, Timing, after_crash, after_ready, has_slept, is_hung

POLICY = RestartPolicy(max_crashes=5, window_s=300)
NEVER = RestartPolicy(max_crashes=0, window_s=300)
TIMING = Timing()


def delays(policy: RestartPolicy, times: list[float], was_ready: bool) -> list[float | None]:
    history, found = History(), []
    for now in times:
        history, delay = after_crash(policy, history, now, was_ready=was_ready)
        found.append(delay)
    return found


@pytest.mark.parametrize(
    ("policy", "times", "was_ready", "expected"),
    [
        (POLICY, [0], True, [0]),
        (POLICY, [0, 10, 20, 30], True, [0, 0, 0, 0]),
        (POLICY, [0, 10, 20, 30, 40], True, [0, 0, 0, 0, None]),
        (POLICY, [0, 100, 200, 299, 301], True, [0, 0, 0, 0, 0]),  # the first has left the window
        (POLICY, [0, 1, 3, 7, 15], False, [1, 2, 4, 8, None]),
        (NEVER, [0, 1, 3, 7, 15, 31, 63, 123], False, [1, 2, 4, 8, 16, 32, 60, 60]),
        (NEVER, list(range(50)), True, [0] * 50),
        (NEVER, [100.0 * n for n in range(12)], False, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]),
    ],
)
def test_what_was_ready_comes_back_at_once_and_what_never_was_after_longer_and_longer(
    policy: RestartPolicy, times: list[float], was_ready: bool, expected: list[float | None]
) -> None:
    assert delays(policy, times, was_ready) == expected


def test_delays_are_those_of_the_policy() -> None:
    quick = RestartPolicy(max_crashes=0, first_delay_s=0.25, longest_delay_s=1.5)
    assert delays(quick, [0, 1, 2, 3, 4], False) == [0.25, 0.5, 1, 1.5, 1.5]


def test_failed_starts_are_forgotten_only_after_a_whole_window_of_being_ready() -> None:
    history = History((1.0,), failures=3)
    assert after_ready(POLICY, history, 299) == history
    assert after_ready(POLICY, history, 300).failures == 0


def test_a_ready_crash_does_not_forget_failed_starts() -> None:
    history, _ = after_crash(NEVER, History((), failures=3), 10, was_ready=True)
    _, delay = after_crash(NEVER, history, 11, was_ready=False)
    assert delay == 8


@pytest.mark.parametrize(
    ("silent_s", "was_ready", "hung"),
    [(29, True, False), (31, True, True), (31, False, False), (119, False, False), (121, False, True)],
)
def test_silence_means_hung_later_while_a_model_loads(silent_s: float, was_ready: bool, hung: bool) -> None:
    assert is_hung(TIMING, 1000 + silent_s, 1000, was_ready=was_ready) is hung


@pytest.mark.parametrize(
    ("monotonic_gap_s", "wall_gap_s", "slept"),
    [(2, 2, False), (7, 7, False), (2, 3600, True), (3600, 3600, True), (2, -3600, False)],
)
def test_a_gap_in_either_clock_is_sleep(monotonic_gap_s: float, wall_gap_s: float, slept: bool) -> None:
    assert has_slept(TIMING, monotonic_gap_s, wall_gap_s) is slept
