"""The supervisor, without a user interface: one thread starts a program, watches it and keeps it running."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

import psutil

from service.process.port import PortTaken, listen
from service.settings import SettingsError
from tray.supervise.clock import Clock
from tray.supervise.gpu_latch import DEVICE_LOST, GpuLatch, NoGpu
from tray.supervise.output import Sink
from tray.supervise.policy import History, RestartPolicy, Timing, after_crash, after_ready, has_slept, is_hung
from tray.supervise.probe import ask_health
from tray.supervise.process import Adopted, Child
from tray.supervise.program import Program
from tray.supervise.status import State, Status

log = logging.getLogger(__name__)


class _Ask(Enum):
    START = auto()
    RESTART = auto()
    STOP = auto()
    CLOSE = auto()
    LOOK = auto()
    LOOK_AFTER_SLEEP = auto()


class Supervisor:
    """Everything happens in its own thread; the verbs only ask. `read_program` is called before every start, so that
    changed settings count; it may raise SettingsError."""

    def __init__(
        self,
        read_program: Callable[[], Program],
        sink: Sink,
        latch: GpuLatch | NoGpu,
        *,
        policy: RestartPolicy | None = None,
        timing: Timing | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._read_program, self._sink, self._latch = read_program, sink, latch
        self._policy, self._timing = policy or RestartPolicy(), timing or Timing()
        self._clock: Clock = clock or time
        self._asked: queue.SimpleQueue[_Ask] = queue.SimpleQueue()
        self._watchers: list[Callable[[Status], None]] = []
        self.status = Status(since=self._clock.time(), gpu_lost_utc=latch.lost_utc)
        self._program: Program | None = None
        self._child: Child | Adopted | None = None
        self._wanted = True
        self._gave_up = False
        self._history = History()
        self._start_at = self._begun = self._last_answer = self._looked = self._clock.monotonic()
        self._looked_wall = self._clock.time()
        self._ready_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def open(self) -> None:
        """Begin, with the program started: not a person's start, so a latched GPU loss stays."""
        self._thread.start()

    def start(self) -> None:
        self._asked.put(_Ask.START)

    def stop(self) -> None:
        self._asked.put(_Ask.STOP)

    def restart(self) -> None:
        self._asked.put(_Ask.RESTART)

    def resumed(self) -> None:
        """The PC has slept: probe again instead of judging by the time that passed."""
        self._asked.put(_Ask.LOOK_AFTER_SLEEP)

    def close(self) -> None:
        """Stop the program and the loop; returns when both are over."""
        self._asked.put(_Ask.CLOSE)
        self._thread.join()

    def watch(self, changed: Callable[[Status], None]) -> None:
        self._watchers.append(changed)

    def _run(self) -> None:
        while True:
            self._tick()
            self._looked, self._looked_wall = self._clock.monotonic(), self._clock.time()
            try:
                asked = self._asked.get(timeout=self._pause_s())
            except queue.Empty:
                continue
            if asked is _Ask.CLOSE:
                self._stop()
                return
            self._do(asked)

    def _pause_s(self) -> float | None:
        if self._child:
            return self._timing.starting_tick_s if self._is_new() else self._timing.tick_s
        if self._wanted and not self._gave_up:
            return max(0.0, self._start_at - self._clock.monotonic())
        return None  # nothing to do until somebody asks

    def _is_new(self) -> bool:
        """Just started: looked at often, to be ready soon. What cannot get ready is asked no more often than others."""
        return self._ready_since is None and self._clock.monotonic() - self._begun < self._timing.hang_s

    def _do(self, asked: _Ask) -> None:
        if asked is _Ask.STOP:
            self._stop()
        elif asked is _Ask.LOOK_AFTER_SLEEP:
            self._last_answer = self._clock.monotonic()
        elif asked in (_Ask.START, _Ask.RESTART):
            if asked is _Ask.RESTART:
                self._stop()
            self._latch.clear()
            self._wanted, self._gave_up, self._history = True, False, History()
            self._start_at = self._clock.monotonic()

    def _stop(self) -> None:
        self._wanted = False
        if self._child:
            self._say(State.STOPPING)
            went = self._child.stop(self._timing.stop_s)
            log.info("stopped", extra={"pid": self._child.pid, "by_itself": went})
            self._child = None
        self._say(State.STOPPED)

    def _tick(self) -> None:
        if self._child is None:
            if self._wanted and not self._gave_up and self._clock.monotonic() >= self._start_at:
                self._launch()
        elif (code := self._child.exit_code) is not None:
            self._over(self._child, code)
        else:
            self._look(self._child)

    # --- starting

    def _launch(self) -> None:
        try:
            self._program = program = self._read_program()
            listen(program.host, program.port).close()
            child: Child | Adopted = Child(program, self._sink, lambda: self._asked.put(_Ask.LOOK))
        except SettingsError as error:
            self._wait("settings", str(error))
        except PortTaken as error:
            self._adopt(program, str(error))
        except OSError as error:
            self._wait("cannot_start", f"{program.command[0]} cannot be started: {error}.")
        else:
            log.info("started", extra={"program": program.name, "pid": child.pid})
            self._begin(child)

    def _adopt(self, program: Program, taken: str) -> None:
        """What answers on our port as ours is ours, whoever started it."""
        health = ask_health(program, self._timing.probe_s)
        try:
            adopted = Adopted(int(health["pid"])) if health else None
        except (KeyError, ValueError, psutil.Error):
            adopted = None
        if adopted is None or health is None:
            self._wait("port_taken", taken)
            return
        log.info("adopted", extra={"program": program.name, "pid": adopted.pid})
        self._begin(adopted)
        self._heard(adopted, health)

    def _begin(self, child: Child | Adopted) -> None:
        self._begun = self._last_answer = self._clock.monotonic()
        self._child, self._ready_since = child, None
        self._say(State.STARTING, "starting", "The service is starting.")

    def _wait(self, code: str, reason: str) -> None:
        """It cannot be started now; that may end by itself."""
        self._start_at = self._clock.monotonic() + self._timing.port_s
        self._say(State.DOWN, code, reason)

    # --- watching

    def _look(self, child: Child | Adopted) -> None:
        assert self._program
        health = ask_health(self._program, self._timing.probe_s)
        now = self._clock.monotonic()
        if has_slept(self._timing, now - self._looked, self._clock.time() - self._looked_wall):
            self._last_answer = now
        if health is not None:
            self._last_answer = now
            self._heard(child, health)
        elif is_hung(self._timing, now, self._last_answer, was_ready=self._ready_since is not None):
            child.end()
            self._crashed(child, "hung", f"The service had not answered for {now - self._last_answer:.0f} s.")
        elif self._ready_since is not None and now - self._last_answer > self._timing.silent_s:
            self._say(State.DEGRADED, "no_answer", f"The service has not answered for {now - self._last_answer:.0f} s.")

    def _heard(self, child: Child | Adopted, health: Mapping[str, Any]) -> None:
        self._latch.look(health)
        status, code, reason = health.get("status"), str(health.get("code") or ""), str(health.get("reason") or "")
        if code == DEVICE_LOST:
            child.stop(self._timing.stop_s)
            self._ready_since = None  # a GPU that is lost again and again is waited for longer and longer
            self._crashed(child, "gpu_lost", reason or "The GPU was lost.")
        elif status in ("ok", "degraded"):
            self._ready(status == "degraded", code, reason, health)
        elif status == "loading":
            self._say(State.STARTING, code or "loading", reason, health)
        else:
            self._say(State.DOWN, code or "error", reason, health)

    def _ready(self, degraded: bool, code: str, reason: str, health: Mapping[str, Any]) -> None:
        now = self._clock.monotonic()
        self._ready_since = now if self._ready_since is None else self._ready_since
        self._history = after_ready(self._policy, self._history, now - self._ready_since)
        if self._latch.lost_utc:
            self._say(
                State.DEGRADED, "gpu_lost", f"The GPU was lost at {self._latch.lost_utc}. {reason}".strip(), health
            )
        elif degraded:
            self._say(State.DEGRADED, code, reason, health)
        else:
            self._say(State.READY, "", "", health)

    def _over(self, child: Child | Adopted, exit_code: int) -> None:
        child.end()  # what it started, and left behind
        if isinstance(child, Adopted):  # whoever started it has ended it: our turn
            self._child, self._start_at = None, self._clock.monotonic()
            return
        self._crashed(child, "crashed", f"The service ended with code {exit_code}.")

    def _crashed(self, child: Child | Adopted, code: str, reason: str) -> None:
        now, was_ready = self._clock.monotonic(), self._ready_since is not None
        self._history, delay_s = after_crash(self._policy, self._history, now, was_ready=was_ready)
        self._child, self._gave_up, self._start_at = None, delay_s is None, now + (delay_s or 0.0)
        if delay_s is None:
            minutes = self._policy.window_s / 60
            reason += f" {len(self._history.crashes)} times within {minutes:.0f} minutes: it is not started again."
            code = "gave_up"
        elif delay_s:
            reason += f" It is started again in {delay_s:.0f} s."
        self.status = replace(self.status, last_lines=child.last_lines())
        self._say(State.DOWN, code, reason)

    # --- telling

    def _say(self, state: State, code: str = "", reason: str = "", health: Mapping[str, Any] | None = None) -> None:
        before, child = self.status, self._child
        status = Status(
            state, code, reason,
            since=before.since if state is before.state else self._clock.time(),
            pid=child.pid if child else None,
            adopted=isinstance(child, Adopted),
            crashes=len(self._history.crashes),
            last_lines=before.last_lines if self._history.crashes else (),
            gpu_lost_utc=self._latch.lost_utc,
            health=health or {},
        )  # fmt: skip
        if status == before:
            return
        if (state, code) != (before.state, before.code):
            log.info("state", extra={"state": str(state), "code": code, "reason": reason})
        self.status = status
        for changed in self._watchers:
            changed(status)
