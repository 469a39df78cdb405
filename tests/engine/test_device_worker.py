"""One thread owns the device: inspections share passes, a fit gets slices between, nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.engine.device import DeviceWorker
from service.errors import QueueFull, TooLate
from tests.conftest import settings_for
from tests.kit.parts import assert_problem, infer, serving, wait_until
from tests.kit.twin import TwinEngine


class Device:
    """Doubles numbers, one batch at a time, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.free = threading.Event()
        self.threads: set[str] = set()

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        self.free.wait(10)
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        if "crash" in items:
            raise ZeroDivisionError("crash")
        return [] if "lazy" in items else [item * 2 for item in items]


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def worker(device: Device) -> Iterator[DeviceWorker[Any, Any]]:
    worker: DeviceWorker[Any, Any] = DeviceWorker(device, queue_size=6, batch_size=3)
    yield worker
    device.free.set()
    worker.close()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


def busy(worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor) -> Any:
    """Somebody is being served, so that what comes next has to wait."""
    first = callers.submit(worker.compute, "k", 0, 5)
    wait_until(lambda: first.running() and worker.depth == 0)
    return first


def test_what_waits_with_the_same_key_shares_a_pass_oldest_first(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    first = busy(worker, callers)
    waiting = []
    for number, key in enumerate("kkqkkq", start=1):
        waiting.append(callers.submit(worker.compute, key, number, 5))
        wait_until(lambda depth=number: worker.depth == depth)
    device.free.set()
    assert [future.result(5) for future in [first, *waiting]] == [0, 2, 4, 6, 8, 10, 12]
    assert device.batches == [[0], [1, 2, 4], [3, 6], [5]]
    assert device.threads == {"device"}


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_has_room(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    busy(worker, callers)
    waiting = [callers.submit(worker.compute, "k", number, 5) for number in range(6)]
    wait_until(lambda: worker.depth == 6)
    started = time.monotonic()
    with pytest.raises(QueueFull, match="6 inspections wait already") as refused:
        worker.compute("k", 99, 5)
    assert time.monotonic() - started < 0.5
    assert refused.value.retry_after_s is not None
    device.free.set()
    assert sorted(future.result(5) for future in waiting) == [0, 2, 4, 6, 8, 10]
    assert worker.compute("k", 7, 5) == 14


def test_who_waits_too_long_is_told_so_and_is_not_computed_any_more(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    busy(worker, callers)
    with pytest.raises(TooLate, match=r"0\.05 s"):
        worker.compute("k", 1, 0.05)
    device.free.set()
    assert worker.compute("k", 2, 5) == 4
    assert [1] not in device.batches
    assert all(1 not in batch for batch in device.batches)


def test_what_belongs_together_waits_together_or_not_at_all(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    busy(worker, callers)
    for number in range(5):
        callers.submit(worker.compute, "q", number, 5)
    wait_until(lambda: worker.depth == 5)
    together = callers.submit(worker.compute_all, [("k", 1), ("k", 2), ("l", 3)], 5)
    wait_until(lambda: worker.depth == 8)
    with pytest.raises(QueueFull):
        worker.compute_all([("k", 4), ("k", 5)], 5)
    assert worker.depth == 8
    device.free.set()
    assert together.result(5) == [2, 4, 6]
    assert [1, 2] in device.batches


def test_when_one_fails_the_others_are_not_computed_for_nobody(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    busy(worker, callers)
    with pytest.raises(TooLate):
        worker.compute_all([("k", 1), ("l", 2)], 0.05)
    assert worker.depth == 0
    together = callers.submit(worker.compute_all, [("k", "crash"), ("l", 2)], 5)
    wait_until(lambda: worker.depth == 2)
    device.free.set()
    with pytest.raises(ZeroDivisionError):
        together.result(5)
    wait_until(lambda: worker.depth == 0)
    assert [1] not in device.batches


def test_errors_are_handed_to_those_who_wait_and_the_device_goes_on(
    device: Device, worker: DeviceWorker[Any, Any], callers: ThreadPoolExecutor
) -> None:
    busy(worker, callers)
    waiting = [callers.submit(worker.compute, "k", item, 5) for item in ("crash", 1)]
    wait_until(lambda: worker.depth == 2)
    device.free.set()
    for future in waiting:
        with pytest.raises(ZeroDivisionError):
            future.result(5)
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 // 0)
    assert worker.compute("k", 3, 5) == 6


def test_a_pass_that_forgets_a_result_is_an_error_not_a_standstill(
    device: Device, worker: DeviceWorker[Any, Any]
) -> None:
    device.free.set()
    with pytest.raises(ValueError, match="zip"):
        worker.compute("k", "lazy", 5)
    assert worker.compute("k", 3, 5) == 6


def test_a_fit_gets_its_slices_under_load_and_inspections_come_first(callers: ThreadPoolExecutor) -> None:
    def slow_double(items: Sequence[int]) -> list[int]:
        time.sleep(0.01)
        return [item * 2 for item in items]

    worker: DeviceWorker[int, int] = DeviceWorker(slow_double, queue_size=64, batch_size=1)
    end = time.monotonic() + 2

    def station() -> int:
        served = 0
        while time.monotonic() < end:
            worker.compute("k", 1, 5)
            served += 1
        return served

    def fit() -> int:
        slices = 0
        while time.monotonic() < end:
            worker.run(lambda: time.sleep(0.02))
            slices += 1
        return slices

    stations, slices = [callers.submit(station) for _ in range(4)], callers.submit(fit)
    served = sum(future.result(10) for future in stations)
    assert slices.result(10) >= 3  # it does not starve
    assert served > 8 * slices.result()  # nor does it hold up the line
    worker.close()


def test_closing_finishes_what_waits_and_refuses_the_rest(device: Device, callers: ThreadPoolExecutor) -> None:
    worker: DeviceWorker[Any, Any] = DeviceWorker(device, queue_size=6, batch_size=3)
    first = busy(worker, callers)
    second, slice_ = callers.submit(worker.compute, "k", 5, 5), callers.submit(worker.run, lambda: "slice")
    wait_until(lambda: worker.depth == 1)
    closing = callers.submit(worker.close)
    time.sleep(0.05)
    with pytest.raises(QueueFull, match="stopping"):
        worker.compute("k", 1, 5)
    with pytest.raises(QueueFull, match="stopping"):
        worker.run(lambda: None)
    device.free.set()
    closing.result(5)
    assert (first.result(5), second.result(5), slice_.result(5)) == (0, 10, "slice")


class StuckTwin(TwinEngine):
    """Does not answer until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.free = threading.Event(), threading.Event()

    def embed(self, *args: Any) -> np.ndarray:
        self.entered.set()
        self.free.wait(10)
        return super().embed(*args)


def test_over_http_a_full_queue_is_503_with_retry_after_and_so_is_what_comes_too_late(
    data_root: Path, callers: ThreadPoolExecutor
) -> None:
    twin = StuckTwin()
    settings = settings_for(data_root, BACKEND_QUEUE_SIZE=2, BACKEND_BATCH_SIZE=1, BACKEND_INFER_TIMEOUT_S=1.5)
    with serving(settings, lambda: twin) as client:
        late = callers.submit(infer, client)
        wait_until(twin.entered.is_set)
        waiting = [callers.submit(infer, client) for _ in range(2)]
        wait_until(lambda: "infer_queue_depth 2.0" in client.get("/metrics").text)
        full = infer(client)
        assert assert_problem(full, 503, "2 inspections wait already")["code"] == "queue_full"
        assert int(full.headers["Retry-After"]) >= 1
        for future in (late, *waiting):
            assert assert_problem(future.result(10), 503, "1.5 s")["code"] == "too_late"
            assert int(future.result().headers["Retry-After"]) >= 1
        twin.free.set()
        assert "infer_queue_depth 0.0" in client.get("/metrics").text
        assert infer(client).json()["verdict"] == "OK"
        assert client.get("/inspections").json()["total"] == 1
