"""Rules of restarting: when an ended program is started again, and when a living one is given up.

All times are seconds of a monotonic clock, handed in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """How often is looked, and how long is waited, in seconds."""

    tick_s: float = 2.0
    starting_tick_s: float = 0.25
    probe_s: float = 5.0  # an answer may take this long under full load
    silent_s: float = 10.0  # without an answer: said, nothing done yet
    hang_s: float = 30.0  # without an answer: ended
    start_hang_s: float = 120.0  # the same before it was ready: a cold disk, a virus scanner, the model's load
    stop_s: float = 10.0  # what an inspection under way may take
    port_s: float = 5.0  # until a taken port is looked at again
    jump_s: float = 15.0  # a gap between two looks that only sleep explains


@dataclass(frozen=True)
class RestartPolicy:
    """`max_crashes` within `window_s` end in giving up; 0 never does. Delays in seconds: the first is doubled with each
    start that came to nothing, up to the longest."""

    max_crashes: int = 5
    window_s: float = 300.0
    first_delay_s: float = 1.0
    longest_delay_s: float = 60.0


@dataclass(frozen=True)
class History:
    """Crashes within the window, and how many starts in a row have come to nothing."""

    crashes: tuple[float, ...] = ()
    failures: int = 0


def after_crash(
    policy: RestartPolicy, history: History, now: float, *, was_ready: bool
) -> tuple[History, float | None]:
    """The history with this crash, and the seconds until the next start; None: give up.

    What had been ready comes back at once: a line waits for it. What never got ready would only fail again, and is
    started after 1, 2, 4, ... 60 s.
    """
    crashes = (*(past for past in history.crashes if now - past < policy.window_s), now)
    failures = history.failures if was_ready else history.failures + 1
    history = History(crashes, failures)
    if policy.max_crashes and len(crashes) >= policy.max_crashes:
        return history, None
    doubled_s = policy.first_delay_s * 2.0 ** min(failures - 1, 10)
    return history, 0.0 if was_ready else min(policy.longest_delay_s, doubled_s)


def after_ready(policy: RestartPolicy, history: History, ready_for_s: float) -> History:
    """Failed starts are forgotten once it has been ready for a whole window: a GPU that is lost every minute is not."""
    return History(history.crashes) if ready_for_s >= policy.window_s else history


def is_hung(timing: Timing, now: float, last_answer: float, *, was_ready: bool) -> bool:
    """A live process that has said nothing since `last_answer`, which is its start before the first answer."""
    return now - last_answer > (timing.hang_s if was_ready else timing.start_hang_s)


def has_slept(timing: Timing, *gaps_s: float) -> bool:
    """Between two looks. The monotonic clock runs during sleep on Windows and stands still on Linux: give both gaps."""
    return max(gaps_s) > timing.jump_s
