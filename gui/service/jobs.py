"""Jobs of the service that are followed here. A lesson goes on when its page is closed, and is found again."""

from __future__ import annotations

import asyncio
import logging
import time

from gui.service.client import Client, ServiceError, settled
from service.contract.jobs import JobAnswer

log = logging.getLogger(__name__)
# Before 3 % and 1 s, a guess of the time left jumps too much to be of use.
_GUESS_FROM_PROGRESS, _GUESS_FROM_S = 0.03, 1.0


class Following:
    """One job of the service, followed until it has ended. `error`: why it was lost sight of."""

    def __init__(self, client: Client, path: str) -> None:
        self.path = path
        self.job: JobAnswer | None = None
        self.error: ServiceError | None = None
        self.cancelling = False
        self._client = client
        self._moving_since: float | None = None  # monotonic: when it no longer waited for other jobs
        self._task = asyncio.create_task(self._follow(), name=f"follow {path}")

    @property
    def running(self) -> bool:
        return not self._task.done()

    @property
    def time_left_s(self) -> float | None:
        """None as long as it cannot be guessed."""
        if self.job is None or self._moving_since is None or not self.running:
            return None
        return time_left_s(self.job.progress, time.monotonic() - self._moving_since)

    async def cancel(self) -> None:
        """Ask the job to end. A job that has ended meanwhile stays as it is. Raises ServiceError."""
        self.cancelling = True
        try:
            await self._client.cancel(self.path)
        except ServiceError as error:
            self.cancelling = False
            if error.code != "conflict":
                raise

    async def ended(self) -> JobAnswer | None:
        """Wait for the end: the job's last answer, None when it was lost sight of."""
        await asyncio.shield(self._task)
        return self.job

    async def close(self) -> None:
        """Stop following; the job itself goes on in the service."""
        await settled(self._task)

    async def _follow(self) -> None:
        try:
            async for job in self._client.follow(self.path):
                self.job = job
                if self._moving_since is None and job.progress > 0:
                    self._moving_since = time.monotonic()
        except ServiceError as error:
            self.error = error
            log.warning("job lost sight of", extra={"path": self.path, "code": error.code, "detail": error.detail})


def failure(job: JobAnswer | None, lost: ServiceError | None = None) -> ServiceError:
    """Why there is no result: the job's problem, or else `lost`, why the job could not be followed."""
    if job and job.problem:
        return ServiceError(str(job.problem.get("code", "")), str(job.problem.get("detail", "")))
    return lost or ServiceError(job.state if job else "other", job.state if job else "")


class Teaching:
    """The last lesson of each ROI, running or ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lessons: dict[tuple[str, str], Following] = {}
        self._starting = asyncio.Lock()

    async def start(self, role_id: str, roi_id: str, mm_per_px: float) -> Following:
        """Teach a candidate version from the stored OK samples, or return the lesson that is running.

        Raises ServiceError.
        """
        async with self._starting:  # two pages that start at once teach once
            known = self._lessons.get((role_id, roi_id))
            if known and known.running:
                return known
            fields = {
                "role_id": role_id, "roi_id": roi_id, "mm_per_px": mm_per_px, "use_dataset": True, "stage": True,
            }  # fmt: skip
            path = await self._client.start_job("/fit_ok", fields=fields)
            lesson = self._lessons[role_id, roi_id] = Following(self._client, path)
            return lesson

    def of(self, role_id: str, roi_id: str) -> Following | None:
        return self._lessons.get((role_id, roi_id))

    async def close(self) -> None:
        await asyncio.gather(*(lesson.close() for lesson in self._lessons.values()))


def time_left_s(progress: float, elapsed_s: float) -> float | None:
    """Assumes that the rest goes as fast as the beginning; None while that says too little."""
    if progress < _GUESS_FROM_PROGRESS or elapsed_s < _GUESS_FROM_S:
        return None
    return elapsed_s * (1 - progress) / progress
