"""Long work: one thread, a row in the database, progress, cancel.

The row makes a job visible from every worker process and after a crash: one whose process is gone says so.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import psutil
import sqlalchemy as sa

from service.contract.jobs import Job
from service.errors import Cancelled, Conflict, Interrupted, Problem, QueueFull
from service.progress import Report
from service.store.records.database import errors_named, jobs, row_of

log = logging.getLogger(__name__)

WRITE_EVERY_S = 0.2
KEPT_DAYS = 30
MAX_WAITING = 8
Lane = Literal["device", "disk"]


class Jobs:
    """Runs one job at a time in each lane: two fits would only fight over the device, a backup waits for no fit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._owner = _process_name()
        self._lanes = {lane: ThreadPoolExecutor(1, thread_name_prefix=f"job-{lane}") for lane in get_args(Lane)}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._waiting, self.max_waiting = 0, MAX_WAITING
        self._end_orphans()

    def start(
        self, kind: str, work: Callable[[Report], dict[str, Any]], lane: Lane = "device"
    ) -> tuple[str, Future[dict[str, Any]]]:
        """Queue `work`; returns the job's id, and a future to wait for its result.

        `work` calls its Report often, which raises Cancelled when somebody asked for it.
        Raises QueueFull, DiskFull, DatabaseUnusable.
        """
        job_id = uuid.uuid4().hex
        with self._lock:
            if self._waiting >= self.max_waiting:
                raise QueueFull(f"{self.max_waiting} jobs wait already: start this one when some have ended.")
            self._insert(job_id, kind)
            self._waiting += 1
        future: Future[dict[str, Any]] = Future()
        self._lanes[lane].submit(copy_context().run, self._run, job_id, kind, work, future)
        return job_id, future

    def get(self, job_id: str) -> Job:
        return Job(**row_of(self._engine, jobs.c.job_id, job_id, f"No job {job_id!r}."))

    def cancel(self, job_id: str) -> Job:
        """Ask a running job to end. Raises Conflict when it has ended already."""
        job = self.get(job_id)
        if job.state != "running":
            raise Conflict(f"Job {job_id} is {job.state} already.")
        self._update(job_id, cancel_asked=True)
        return self.get(job_id)

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def close(self) -> None:
        """Cancel what runs and wait for it: a fit leaves nothing half done."""
        self._closing.set()
        for lane in self._lanes.values():
            lane.shutdown(wait=True)

    def _insert(self, job_id: str, kind: str) -> None:
        with errors_named(), self._engine.begin() as connection:
            connection.execute(
                sa.insert(jobs).values(
                    job_id=job_id,
                    kind=kind,
                    state="running",
                    progress=0.0,
                    stage="waiting",
                    created_utc=_now(),
                    owner=self._owner,
                    cancel_asked=False,
                )
            )

    def _run(
        self, job_id: str, kind: str, work: Callable[[Report], dict[str, Any]], future: Future[dict[str, Any]]
    ) -> None:
        started = time.monotonic()
        try:
            result = work(self._reporter(job_id))
        except Exception as error:
            self._fail(job_id, kind, error)
            future.set_exception(error)
        else:
            self._end(job_id, "done", result=result, progress=1.0)
            log.info(
                "job done", extra={"job_id": job_id, "kind": kind, "duration_s": round(time.monotonic() - started, 2)}
            )
            future.set_result(result)
        finally:
            with self._lock:
                self._waiting -= 1

    def _fail(self, job_id: str, kind: str, error: Exception) -> None:
        if not isinstance(error, Problem):
            log.error("job broke", extra={"job_id": job_id, "kind": kind, "traceback": traceback.format_exc()})
            error = Problem("The job broke; the service's log says where. Nothing was changed.")
        state = "cancelled" if isinstance(error, Cancelled) else "failed"
        self._end(job_id, state, problem=_told(error))
        log.warning("job ended", extra={"job_id": job_id, "kind": kind, "state": state, "detail": error.detail})

    def _reporter(self, job_id: str) -> Report:
        written = 0.0

        def report(progress: float, stage: str) -> None:
            nonlocal written
            if self._closing.is_set():
                raise Cancelled("The service is stopping.")
            if time.monotonic() - written < WRITE_EVERY_S:
                return
            written = time.monotonic()
            if self._update(job_id, progress=round(min(progress, 1.0), 4), stage=stage):
                raise Cancelled("The job was cancelled.")

        return report

    def _update(self, job_id: str, **values: object) -> bool:
        """Write values; returns whether a cancel was asked for. Raises DiskFull, DatabaseUnusable."""
        with errors_named(), self._engine.begin() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.job_id == job_id).values(**values))
            asked = connection.execute(sa.select(jobs.c.cancel_asked).where(jobs.c.job_id == job_id))
            return bool(asked.scalar_one())

    def _end(self, job_id: str, state: str, **values: object) -> None:
        try:
            self._update(job_id, state=state, stage=state, ended_utc=_now(), **values)
        except Problem as problem:  # who waits for the job gets its result all the same
            log.error("end of job not recorded", extra={"job_id": job_id, "state": state, "detail": problem.detail})

    def _end_orphans(self) -> None:
        """Jobs whose process died are failed; old ones are forgotten."""
        interrupted = Interrupted("The service was stopped while this job ran: start it again. Nothing was changed.")
        problem = _told(interrupted)
        with self._engine.begin() as connection:
            running = connection.execute(sa.select(jobs.c.job_id, jobs.c.owner).where(jobs.c.state == "running"))
            for job_id, owner in running.all():
                if not _is_alive(owner):
                    connection.execute(
                        sa.update(jobs)
                        .where(jobs.c.job_id == job_id)
                        .values(state="failed", stage="failed", ended_utc=_now(), problem=problem)
                    )
            oldest = datetime.fromtimestamp(time.time() - KEPT_DAYS * 86400, UTC).isoformat()
            connection.execute(sa.delete(jobs).where(jobs.c.created_utc < oldest))


def _told(problem: Problem) -> dict[str, Any]:
    return {"status": problem.status, "code": problem.code, "title": problem.title, "detail": problem.detail}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _process_name() -> str:
    """A process id can be reused; with its start time it cannot."""
    process = psutil.Process()
    return f"{process.pid}@{process.create_time():.2f}"


def _is_alive(owner: str) -> bool:
    pid, _, started = owner.partition("@")
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
        return False
