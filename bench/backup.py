"""What a backup costs the inspections that go on meanwhile, beside the same inspections without one.

python -m bench.backup [--samples N]
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bench.http import FORM, Station, picture, teach_roi
from bench.tables import console, print_table
from service.cli.client import Client, started, wait_until_ready
from service.demo.view import MM_PER_PX
from service.settings import read_settings

ROI = {"role_id": FORM["role_id"], "roi_id": FORM["roi_id"]}


def main(
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    port: Annotated[int, typer.Option(help="Port for the service")] = 8123,
    samples: Annotated[int, typer.Option(help="Samples in the data root")] = 5000,
    rounds: Annotated[int, typer.Option(help="Backups, each beside as long a time without")] = 1,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(BACKEND_DATA_ROOT=Path(folder), BACKEND_PORT=port, BACKEND_BACKBONE=backbone)
        with started(settings) as process:
            client = Client(f"http://127.0.0.1:{port}")
            wait_until_ready(client, console.print, process)
            good = [picture(seed, "JPEG") for seed in range(20)]
            teach_roi(client.url, good)
            client.calibrate({**ROI, "mm_per_px": MM_PER_PX})
            _fill(client, good, samples)
            _measure(client, Station(client.url, good), rounds)


def _fill(client: Client, pictures: list[bytes], samples: int) -> None:
    """Uploaded as a GUI would: the service makes PNG of them, about 0.4 MB each."""
    for first in range(0, samples, 100):
        batch = [(f"{n}.jpg", pictures[n % len(pictures)]) for n in range(first, min(first + 100, samples))]
        client.upload("ok", {**ROI, "mm_per_px": MM_PER_PX}, batch)


def _measure(client: Client, station: Station, rounds: int) -> None:
    quiet: list[float] = []
    busy: list[float] = []
    made: list[dict[str, Any]] = []
    durations: list[float] = []
    for number in range(20):
        station.infer(number)
    for _ in range(rounds):
        begun = time.perf_counter()
        worker = threading.Thread(target=lambda: made.append(client.back_up()))
        worker.start()
        busy += _inspect_while(station, worker.is_alive)
        durations.append(time.perf_counter() - begun)
        end = time.perf_counter() + durations[-1]
        quiet += _inspect_while(station, lambda end=end: time.perf_counter() < end)  # type: ignore[misc]
    rows = [_row("without a backup", quiet, quiet), _row("while one is made", busy, quiet)]
    print_table("Warm /infer, one client: milliseconds", ("", "inspections", "median", "p99", "p99 ratio"), rows)
    size_mb = made[-1]["size_bytes"] / 1e6
    console.print(f"{made[-1]['n_files']} files, {size_mb:.0f} MB; one backup took {np.median(durations):.1f} s.")


def _inspect_while(station: Station, goes_on: Any) -> list[float]:
    latencies: list[float] = []
    while goes_on():
        begun = time.perf_counter()
        assert json.loads(station.infer(len(latencies)))["inspection_id"]
        latencies.append((time.perf_counter() - begun) * 1e3)
    return latencies


def _row(name: str, latencies: list[float], reference: list[float]) -> tuple[Any, ...]:
    median, p99 = np.percentile(latencies, [50, 99])
    return name, len(latencies), float(median), float(p99), f"{p99 / np.percentile(reference, 99):.2f}x"


if __name__ == "__main__":
    typer.run(main)
