"""The only way to the service: HTTP, with values of the contract as answers.

A call that reads is repeated, with growing pauses, while the service is away. A call that acts is repeated only when
it never reached the service, so that nothing happens twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential, wait_random

from gui.kit.words import Told
from service.contract.jobs import JobAnswer

A = TypeVar("A", bound=BaseModel)
T = TypeVar("T")
# long for the answer, because one call may judge all samples of an ROI; short to connect: the service is near
TIMEOUT = httpx.Timeout(120.0, connect=2.0)
PATIENCE_S = 10.0
_POLL_S = 0.25  # a bar that moves four times a second looks alive
_JOB_PATIENCE_S = 60.0  # a service that restarts still knows its jobs

Files = Sequence[tuple[str, tuple[str, bytes, str]]]


class ServiceError(Told):
    """The service could not be asked, or refused."""

    def __init__(self, code: str, detail: str, status: int = 0, request_id: str = "") -> None:
        super().__init__(code, detail)
        self.status, self.request_id = status, request_id


class ServiceGone(ServiceError):
    """No answer at the address."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        """`sent`: whether the request may have reached the service, and acted."""
        super().__init__("service_gone", detail)
        self.sent = sent


@dataclass(frozen=True)
class Target:
    url: str
    api_key: str = ""
    station: str = ""


class Client:
    """One pool of connections; every method may be called at the same time. Raises ServiceError."""

    def __init__(self, target: Target, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._retrying: Callable[[bool], None] = lambda _: None
        self._http = self._pool(target)
        self.target = target

    def on_retry(self, told: Callable[[bool], None]) -> None:
        """`told(True)` before a call is made again, `told(False)` when one got through."""
        self._retrying = told

    async def aim(self, target: Target) -> None:
        """Ask another service from now on."""
        before, self._http, self.target = self._http, self._pool(target), target
        await before.aclose()

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, answer: type[A], **query: Any) -> A:
        return _as(answer, await self._again(may_pass, "GET", path, params=_given(query)))

    async def read(self, path: str, **query: Any) -> bytes:
        """A file: picture, heat map, CSV."""
        return (await self._again(may_pass, "GET", path, params=_given(query))).content

    async def stream(self, path: str, **query: Any) -> AsyncIterator[bytes]:
        """A file piece by piece, however large. Only before the first piece can the service refuse in a sentence."""
        request = self._http.build_request("GET", path, params=_given(query))
        try:
            response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    raise _problem(response)
                async for piece in response.aiter_bytes():
                    yield piece
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise ServiceGone(f"{self.target.url} stopped answering: {_why(error)}", sent=True) from None

    async def picture(self, path: str, query: Mapping[str, str]) -> tuple[bytes, str]:
        """Its bytes and media type; the path is quoted here."""
        response = await self._send("GET", quote(path), params=query)
        return response.content, response.headers.get("content-type", "application/octet-stream")

    async def once(self, path: str, answer: type[A], *, timeout_s: float = 2.0, also: Sequence[int] = ()) -> A:
        """Ask once, with little patience: for /health, whose error answers (status in `also`) are answers."""
        return _as(answer, await self._send("GET", path, timeout=timeout_s, also=also))

    async def send(
        self, method: str, path: str, answer: type[A], body: Mapping[str, Any] | None = None, **query: Any
    ) -> A:
        """A call that acts, with a JSON body."""
        return _as(answer, await self._acting(method, path, json=dict(body or {}), params=_given(query)))

    async def upload(
        self, path: str, answer: type[A], fields: Mapping[str, Any], files: Files, *, method: str = "POST", **query: Any
    ) -> A:
        """A call that acts, with a form and pictures: `files` are (field, (name, bytes, media type))."""
        response = await self._acting(method, path, data=_given(fields), files=list(files), params=_given(query))
        return _as(answer, response)

    async def start_job(
        self, path: str, body: Mapping[str, Any] | None = None, fields: Mapping[str, Any] | None = None
    ) -> str:
        """Begin long work; returns the job's path, which `follow` takes."""
        content = {"data": _given(fields)} if fields is not None else {"json": dict(body or {})}
        response = await self._acting("POST", path, headers={"Prefer": "respond-async"}, **content)
        return response.headers["Location"]

    async def cancel(self, path: str) -> JobAnswer:
        return _as(JobAnswer, await self._acting("DELETE", path))

    async def follow(self, path: str) -> AsyncIterator[JobAnswer]:
        """The job, four times a second until it has ended; a service that restarts is waited for."""
        silent_since: float | None = None
        loop = asyncio.get_running_loop()
        while True:
            try:
                job = _as(JobAnswer, await self._send("GET", path))
                silent_since = None
                yield job
                if job.state != "running":
                    return
            except ServiceError as error:
                silent_since = silent_since or loop.time()
                if not may_pass(error) or loop.time() - silent_since > _JOB_PATIENCE_S:
                    raise
            await asyncio.sleep(_POLL_S)

    async def _acting(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._again(_never_arrived, method, path, **options)

    async def _again(
        self, when: Callable[[BaseException], bool], method: str, path: str, **options: Any
    ) -> httpx.Response:
        attempts = AsyncRetrying(
            retry=retry_if_exception(when),
            stop=stop_after_delay(self._patience_s),
            # with some chance in it, or many stations would come back in the same instant
            wait=wait_exponential(multiplier=0.2, max=2.0) + wait_random(0, 0.2),
            before_sleep=lambda _: self._retrying(True),
            reraise=True,
        )
        response: httpx.Response = await attempts(self._send, method, path, **options)
        self._retrying(False)
        return response

    async def _send(self, method: str, path: str, *, also: Sequence[int] = (), **options: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ServiceGone(f"{self.target.url} does not answer: {_why(error)}", sent=False) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServiceGone(f"{self.target.url} stopped answering: {_why(error)}", sent=True) from None
        if response.is_success or response.status_code in also:
            return response
        raise _problem(response)

    @staticmethod
    def _pool(target: Target) -> httpx.AsyncClient:
        headers = {"X-API-Key": target.api_key} if target.api_key else {}
        headers |= {"X-Station": target.station} if target.station else {}
        # trust_env=False, because a proxy of the plant's network must not come between two programs of one PC
        return httpx.AsyncClient(base_url=target.url, headers=headers, timeout=TIMEOUT, trust_env=False)


async def optional(asked: Awaitable[T], *but_for: str) -> T | None:
    """The answer; None for a thing that does not exist, and for the error codes in `but_for`."""
    try:
        return await asked
    except ServiceError as error:
        if error.status == 404 or error.code in but_for:
            return None
        raise


def picture_file(field: str, name: str, data: bytes) -> Files:
    """For `upload`. The service looks at the bytes, so that the media type is not guessed here."""
    return [(field, (name, data, "application/octet-stream"))]


async def settled(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel the tasks, and wait until they have ended."""
    found = [task for task in tasks if task is not None]
    for task in found:
        task.cancel()
    await asyncio.gather(*found, return_exceptions=True)


def may_pass(error: BaseException) -> bool:
    """Whether it is worth asking again. A lost GPU comes back with a restart only, not by waiting."""
    if isinstance(error, ServiceGone):
        return True
    return isinstance(error, ServiceError) and error.status == 503 and error.code != "device_lost"


def _never_arrived(error: BaseException) -> bool:
    return isinstance(error, ServiceGone) and not error.sent


def _problem(response: httpx.Response) -> ServiceError:
    try:
        said = response.json()
        code, detail = str(said["code"]), str(said["detail"])
    except (ValueError, KeyError, TypeError):  # another program, or a service older than the route
        return ServiceError(f"http_{response.status_code}", f"HTTP {response.status_code}", response.status_code)
    return ServiceError(code, detail, response.status_code, str(said.get("request_id", "")))


def _as(answer: type[A], response: httpx.Response) -> A:
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as error:
        raise ServiceError(
            "other_version", f"The service answers in words this inspector does not know: {error.errors()[0]['msg']}",
            response.status_code,
        ) from None  # fmt: skip


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
