"""Asking the service: what reads is asked again, what acts never happens twice, what is said is in words."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gui.service.client import Client, ServiceError, ServiceGone, Target
from gui.service.link import Link, LinkWatch, handshake
from service.contract.health import Health
from service.contract.models import StateAnswer
from service.contract.operations import FreezeAnswer
from tests.kit.processes import free_port

STATE = {
    "role_id": "-", "roi_id": "-", "memory_fitted": False, "calib_present": False, "model_version": None,
    "serving_version": None, "problem": None, "mm_per_px": None, "versions": [], "dataset": {"ok": 0, "ng": 0},
}  # fmt: skip


def health(**changes: object) -> dict[str, object]:
    return {
        "status": "ok", "codes": [], "warnings": [], "pid": 1, "device": "cpu", "device_name": "cpu", "model": "m",
        "version": "1.0", "gpu_mem_mb": 0, "models_loaded": 0, "uptime_s": 1, "training_frozen": False, "frozen": None,
        "backup": {"last_success_utc": None, "error": None, "copy_error": None}, "disk_free_mb": 1,
        "latency_infer_ms": {"p50": None, "p95": None}, **changes,
    }  # fmt: skip


class Steered:
    """A real HTTP server that answers what the test says: `answers` by path, or hangs up in the middle."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.answers: dict[str, Callable[[], tuple[int, object] | None]] = {}
        steered = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                steered.asked.append((self.command, path, self.headers.get("X-API-Key") or ""))
                answer = steered.answers[path]()
                if answer is None:
                    self.close_connection = True
                    return
                body = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def always(self, path: str, status: int, body: object) -> None:
        self.answers[path] = lambda: (status, body)

    def in_turn(self, path: str, *answers: tuple[int, object] | None) -> None:
        """The last one for ever."""
        left = list(answers)
        self.answers[path] = lambda: left.pop(0) if len(left) > 1 else left[0]

    def count(self, path: str) -> int:
        return sum(asked[1] == path for asked in self.asked)


@pytest.fixture
def steered() -> Iterator[Steered]:
    steered = Steered()
    thread = threading.Thread(target=steered.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield steered
    steered.server.shutdown()
    steered.server.server_close()
    thread.join()


def problem(status: int, code: str) -> tuple[int, object]:
    return status, {"code": code, "detail": f"about {code}", "request_id": "r1"}


def with_client(target: str, work: Callable[[Client], object], patience_s: float = 5.0) -> object:
    async def run() -> object:
        client = Client(Target(target, "the-key"), patience_s=patience_s)
        try:
            return await work(client)  # type: ignore[misc]
        finally:
            await client.close()

    return asyncio.run(run())


def test_what_reads_is_asked_again_until_the_service_is_ready(steered: Steered) -> None:
    steered.in_turn("/state", None, problem(503, "not_ready"), (200, STATE))
    told: list[bool] = []

    async def work(client: Client) -> StateAnswer:
        client.on_retry(told.append)
        return await client.get("/state", StateAnswer)

    answer = with_client(steered.url, work)
    assert isinstance(answer, StateAnswer)
    assert steered.count("/state") == 3
    assert told == [True, True, False]
    assert steered.asked[0][2] == "the-key"


def test_what_acts_and_may_have_arrived_is_not_repeated(steered: Steered) -> None:
    steered.in_turn("/admin/freeze", None, (200, {"training_frozen": True, "frozen": None}))
    with pytest.raises(ServiceGone) as caught:
        with_client(steered.url, lambda client: client.send("POST", "/admin/freeze", FreezeAnswer, {"why": "x"}))
    assert caught.value.sent
    assert steered.count("/admin/freeze") == 1


def test_what_acts_is_repeated_when_it_never_arrived(steered: Steered) -> None:
    """The port opens while the call waits."""
    port = free_port()
    steered.always("/admin/freeze", 200, {"training_frozen": True, "frozen": None})

    async def work(client: Client) -> FreezeAnswer:
        calling = asyncio.create_task(client.send("POST", "/admin/freeze", FreezeAnswer, {"why": "x"}))
        await asyncio.sleep(0.3)
        late = ThreadingHTTPServer(("127.0.0.1", port), steered.server.RequestHandlerClass)
        late.daemon_threads = True
        thread = threading.Thread(target=late.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            return await calling
        finally:
            await asyncio.to_thread(late.shutdown)
            late.server_close()
            thread.join()

    answer = with_client(f"http://127.0.0.1:{port}", work, 20.0)
    assert isinstance(answer, FreezeAnswer)
    assert steered.count("/admin/freeze") == 1


def test_patience_ends(steered: Steered) -> None:
    steered.always("/state", *problem(503, "not_ready"))
    with pytest.raises(ServiceError) as caught:
        with_client(steered.url, lambda client: client.get("/state", StateAnswer), 0.5)
    assert (caught.value.code, caught.value.status, caught.value.request_id) == ("not_ready", 503, "r1")
    assert steered.count("/state") > 1


def test_a_lost_gpu_is_said_at_once(steered: Steered) -> None:
    steered.always("/state", *problem(503, "device_lost"))
    with pytest.raises(ServiceError, match="about device_lost"):
        with_client(steered.url, lambda client: client.get("/state", StateAnswer))
    assert steered.count("/state") == 1


@pytest.mark.parametrize(
    ("answer", "code"), [((200, {"other": 1}), "other_version"), ((502, "proxy"), "http_502"), ((404, []), "http_404")]
)
def test_what_is_not_ours_is_named(steered: Steered, answer: tuple[int, object], code: str) -> None:
    steered.always("/state", *answer)
    with pytest.raises(ServiceError) as caught:
        with_client(steered.url, lambda client: client.get("/state", StateAnswer))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("health_answer", "state_answer", "link"),
    [
        ((200, health()), (200, STATE), Link.READY),
        ((200, health(status="degraded", code="disk_low", reason="low")), (200, STATE), Link.DEGRADED),
        ((503, health(status="loading", code="loading", reason="loads")), (503, {}), Link.LOADING),
        ((503, health(status="error", code="engine_failed", reason="none")), (503, {}), Link.ERROR),
        ((200, health()), problem(401, "api_key_required"), Link.REFUSED),
        ((200, {"hello": "world"}), (200, STATE), Link.FOREIGN),
        ((404, "nginx"), (200, STATE), Link.FOREIGN),
        (None, (200, STATE), Link.GONE),
    ],
)
def test_the_handshake_tells_what_is_there(
    steered: Steered, health_answer: tuple[int, object] | None, state_answer: tuple[int, object], link: Link
) -> None:
    steered.in_turn("/health", health_answer)
    steered.always("/state", *state_answer)
    found = with_client(steered.url, handshake)
    assert getattr(found, "link", None) is link


def test_another_version_of_the_service_is_announced(steered: Steered) -> None:
    steered.in_turn("/health", (200, health(version="1.0")), (200, health(version="1.1")))
    steered.always("/state", 200, STATE)
    announced: list[tuple[str, dict[str, str]]] = []

    async def work(client: Client) -> None:
        watch = LinkWatch(client)
        watch.announced.subscribe(lambda key, values: announced.append((key, values)))
        await watch.look()
        await watch.look()
        await asyncio.sleep(0)

    with_client(steered.url, work)
    assert announced == [("shell.new_version", {"before": "1.0", "now": "1.1"})]


def test_health_in_the_tests_is_what_the_service_says() -> None:
    assert Health.model_validate(health()).version == "1.0"
