"""`demo`: from an empty machine to verdicts on drawn brake discs, with the real service."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from service.cli.client import Client, started, wait_until_ready
from service.cli.teach_inspect import progress, progress_bar, row_of, verdict_table, write_overlay
from service.cli.weights import get_best
from service.demo.discs import DEFECTS, draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from service.errors import InvalidField
from service.process.client import Refused
from service.settings import Settings, read_settings
from service.vision.images import encode_png

ROI = {"role_id": "demo disc", "roi_id": "friction ring"}
N_TEACH, N_NG, N_GOOD, N_PER_DEFECT = 40, 2, 12, 4
SIZE = 512
MARK = ".brakedisc-demo"


@dataclass(frozen=True)
class Part:
    """A drawn disc and its defect, None for a good one."""

    name: str
    image_rgb: np.ndarray
    defect: str | None
    area_mm2: float

    @property
    def truth(self) -> str:
        return f"{self.defect} {self.area_mm2:.1f} mm²" if self.defect else "good"


def run_demo(folder: Path, settings: Settings, console: Console, *, download: bool) -> int:
    """Exit code 0 when every part was judged, whatever the verdicts."""
    _empty(folder)
    weights_dir = get_best(settings, console, download=download)
    here = read_settings(
        BACKEND_DATA_ROOT=folder.resolve() / "data",
        BACKEND_PORT=settings.port,
        BACKEND_WEIGHTS_DIR=weights_dir,
        BACKEND_BACKBONE=settings.backbone,
    )
    shape = json.dumps(ring_shape(SIZE))
    with started(here) as process:
        client = Client(f"http://127.0.0.1:{here.port}")
        wait_until_ready(client, console.print, process)
        health = client.health()
        console.print(f"Service ready: {health['model']} on {health['device_name'] or health['device']}.")
        teach(client, console, folder, shape)
        rows = inspect(client, console, folder, shape)
    console.print(verdict_table(rows, extra=("truth",)))
    _conclude(console, rows, folder)
    return 0 if all(not row["error"] for row in rows) else 2


def _empty(folder: Path) -> None:
    """Only what an earlier demo made is deleted. Raises InvalidField for a folder with anything else in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise InvalidField(f"{folder} holds something else than an earlier demo: give another --folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def teach(client: Client, console: Console, folder: Path, shape: str) -> None:
    """Good parts teach; a few bad ones, kept apart, help to place the threshold."""
    images = []
    for part in _draw(console, "draw good parts", [(seed, None) for seed in range(N_TEACH)]):
        path = folder / "good" / f"{part.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(part.image_rgb))
        images.append(path)
    fields = {**ROI, "mm_per_px": MM_PER_PX, "shape": shape}
    with progress(console, "teach") as report:
        fitted = client.fit(fields, images, report)
    console.print(
        f"Taught {fitted['n_images']} parts in {fitted['duration_s']:.1f} s: {fitted['coreset_size']} patches."
    )
    known = [(10_000 + n, defect) for defect in DEFECTS for n in range(N_NG)]
    bad = [(f"{part.name}.png", encode_png(part.image_rgb)) for part in _draw(console, "draw known bad parts", known)]
    client.upload("ng", fields | {"metas": [json.dumps({"shape": json.loads(shape)})] * len(bad)}, bad)
    calibrated = client.calibrate({**ROI, "mm_per_px": MM_PER_PX})
    console.print(f"Threshold {calibrated['threshold']:.3f} ({calibrated['method']}).")
    for warning in calibrated["warnings"]:
        console.print(f"[yellow]{warning}[/]")


def inspect(client: Client, console: Console, folder: Path, shape: str) -> list[dict[str, Any]]:
    wanted: list[tuple[int, str | None]] = [(20_000 + n, None) for n in range(N_GOOD)]
    wanted += [(30_000 + 100 * i + n, defect) for i, defect in enumerate(DEFECTS) for n in range(N_PER_DEFECT)]
    rows = []
    for part in _draw(console, "draw and inspect", wanted):
        fields = {**ROI, "mm_per_px": MM_PER_PX, "shape": shape, "part_id": part.name}
        try:
            answer = client.infer(fields, f"{part.name}.png", encode_png(part.image_rgb))
        except Refused as error:
            rows.append({"file": part.name, "truth": part.truth, "verdict": "-", "error": error.detail})
            continue
        write_overlay(folder / "overlays" / f"{part.name}.png", part.image_rgb, answer, shape, part.truth)
        rows.append(row_of(part.name, answer) | {"truth": part.truth, "bad": part.defect is not None})
    return rows


def _draw(console: Console, doing: str, wanted: Sequence[tuple[int, str | None]]) -> Iterator[Part]:
    """The parts one by one, behind a progress bar; areas grow from 1.5 to 20 mm² within a defect."""
    with progress_bar(console) as bar:
        for seed, defect in bar.track(wanted, description=doing):
            area_mm2 = (1.5, 4.0, 9.0, 20.0)[seed % 4]
            drawn = draw_disc(seed, defect=defect, area_mm2=area_mm2, size=SIZE)
            yield Part(f"{defect or 'good'}-{seed}", drawn.image_rgb, defect, drawn.area_mm2)


def _conclude(console: Console, rows: list[dict[str, Any]], folder: Path) -> None:
    judged = [row for row in rows if not row["error"]]
    bad = [row for row in judged if row["bad"]]
    found = sum(row["verdict"] == "NG" for row in bad)
    rejected = sum(row["verdict"] == "NG" for row in judged if not row["bad"])
    console.print(
        f"\n{found} of {len(bad)} bad parts found, {rejected} of {len(judged) - len(bad)} good parts rejected."
    )
    console.print(
        f"Look at the pictures in {folder / 'overlays'}\n\n"
        "How to go on:\n"
        "  brakedisc serve                                        start the service, then open /docs\n"
        "  brakedisc teach FOLDER --role R --roi I --mm-per-px S  learn from your own good parts\n"
        "  brakedisc inspect FOLDER --role R --roi I --out OUT    verdicts, overlays, CSV\n"
        "  brakedisc doctor                                       what this machine has and lacks"
    )
