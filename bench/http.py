"""The whole service over HTTP: what it adds to the engine, and what happens with 8 clients and during a fit.

python -m bench.http [--backbone NAME] [--seconds S]
"""

from __future__ import annotations

import http.client
import io
import json
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import typer
from PIL import Image

from bench.tables import console, print_table
from service.cli.client import Client, started, wait_until_ready
from service.demo.discs import draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from service.settings import read_settings

FORM = {"role_id": "bench", "roi_id": "ring", "mm_per_px": str(MM_PER_PX), "shape": json.dumps(ring_shape(512))}
ENGINE_STAGES = ("decode", "view", "embed", "neighbours", "map")


def main(
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    port: Annotated[int, typer.Option(help="Port for the service")] = 8123,
    kind: Annotated[str, typer.Option(help="Picture format: JPEG or PNG")] = "JPEG",
    seconds: Annotated[float, typer.Option(help="Length of each measurement")] = 10.0,
    teach: Annotated[int, typer.Option(help="Pictures of a fit")] = 40,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(BACKEND_DATA_ROOT=Path(folder), BACKEND_PORT=port, BACKEND_BACKBONE=backbone)
        with started(settings) as process:
            client = Client(f"http://127.0.0.1:{port}")
            wait_until_ready(client, console.print, process)
            good = [picture(seed, kind) for seed in range(teach)]
            teach_roi(client.url, good)
            client.calibrate({"role_id": "bench", "roi_id": "ring", "mm_per_px": MM_PER_PX})
            _overhead(client.url, good[:8], seconds, kind)
            _load(client.url, good, seconds)


def _overhead(url: str, images: list[bytes], seconds: float, kind: str) -> None:
    """Time a client waits minus what the engine's stages took, request by request."""
    waited, engine = [], []
    station = Station(url, images)
    for number in range(10):
        station.infer(number)
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        begun = time.perf_counter()
        answer = station.infer(len(waited))
        waited.append((time.perf_counter() - begun) * 1e3)
        timings = json.loads(answer)["timings_ms"]
        engine.append(sum(timings[stage] for stage in ENGINE_STAGES))
    above = np.array(waited) - np.array(engine)
    rows = {
        "HTTP, as the client sees it": waited,
        "engine: " + ", ".join(ENGINE_STAGES): engine,
        "above the engine": above,
    }
    print_table(
        f"Warm /infer of a 512 px {kind}, one client: milliseconds",
        ("", "median", "p95"),
        [(name, float(np.median(values)), float(np.percentile(values, 95))) for name, values in rows.items()],
    )


def _load(url: str, images: list[bytes], seconds: float) -> None:
    one, *_ = _clients(url, images, 1, seconds)
    rows: list[tuple[Any, ...]] = [_row("1 client", one, one)]
    rows.append(_row("8 clients", _clients(url, images, 8, seconds)[0], one))
    fitting = threading.Event()
    fits = threading.Thread(target=_fit_until, args=(url, images, fitting))
    fits.start()
    rows.append(_row("1 client during fits", _clients(url, images, 1, seconds)[0], one))
    rows.append(_row("8 clients during fits", _clients(url, images, 8, seconds)[0], one))
    fitting.set()
    fits.join()
    print_table("Throughput", ("", "pictures/s", "ratio", "median ms", "p99 ms", "slowest client/fastest"), rows)


def _clients(url: str, images: list[bytes], count: int, seconds: float) -> list[list[list[float]]]:
    """Latencies in ms by client; each client is a process of its own, as stations are."""
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        return [pool.starmap(_client, [(url, images[:8], seconds)] * count)]


def _client(url: str, images: list[bytes], seconds: float) -> list[float]:
    latencies: list[float] = []
    station = Station(url, images)
    station.infer(0)
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        begun = time.perf_counter()
        station.infer(len(latencies))
        latencies.append((time.perf_counter() - begun) * 1e3)
    return latencies


def _row(name: str, latencies: list[list[float]], one: list[list[float]]) -> tuple[Any, ...]:
    everything = np.concatenate(latencies)
    # each client worked the same time: pictures per second are clients over mean latency
    rate = sum(len(client) / (sum(client) / 1e3) for client in latencies)
    base = sum(len(client) / (sum(client) / 1e3) for client in one)
    counts = [len(client) for client in latencies]
    return (
        name, float(rate), f"{rate / base:.2f}x", float(np.median(everything)), float(np.percentile(everything, 99)),
        f"{min(counts)}/{max(counts)}",
    )  # fmt: skip


class Station:
    """A client as lean as can be, so that the service is measured and not its caller: one connection, ready bodies."""

    def __init__(self, url: str, images: list[bytes]) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        requests = [httpx.Request("POST", url, data=FORM, files={"image": ("part.png", image)}) for image in images]
        self._requests = [(request.read(), request.headers["content-type"]) for request in requests]

    def infer(self, number: int) -> bytes:
        body, content_type = self._requests[number % len(self._requests)]
        self._connection.request("POST", "/infer", body, {"Content-Type": content_type})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(answer)
        return answer


def teach_roi(url: str, images: list[bytes], role: str = "bench") -> None:
    files = [("images", (f"{n}.png", data)) for n, data in enumerate(images)]
    httpx.post(f"{url}/fit_ok", data=FORM | {"role_id": role}, files=files, timeout=None).raise_for_status()


def _fit_until(url: str, images: list[bytes], ended: threading.Event) -> None:
    while not ended.is_set():
        teach_roi(url, images, role="bench, another")


def picture(seed: int, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_disc(seed).image_rgb).save(file, kind, quality=95, compress_level=1)
    return file.getvalue()


if __name__ == "__main__":
    typer.run(main)
