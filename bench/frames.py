"""A part with four ROIs of one size: one /inspect against four /infer of pictures cut by the client.

python -m bench.frames [--backbone NAME] [--rounds N]

The client of the four has its pictures cut and encoded already: what that takes is not counted against it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import httpx
import numpy as np
import typer

from bench.tables import console, interleaved_ms, print_table
from service.cli.client import Client, started, wait_until_ready
from service.contract.layouts import Roi
from service.demo.discs import draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from service.settings import read_settings
from service.vision.images import encode_png
from service.vision.roi_picture import roi_pictures

ROLE, SIZE, GOOD = "bench", 512, 8


def main(
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    port: Annotated[int, typer.Option(help="Port for the service")] = 8124,
    rounds: Annotated[int, typer.Option(help="Runs of each, in turn")] = 40,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(BACKEND_DATA_ROOT=Path(folder), BACKEND_PORT=port, BACKEND_BACKBONE=backbone)
        with started(settings) as process:
            client = Client(f"http://127.0.0.1:{port}")
            wait_until_ready(client, console.print, process)
            with httpx.Client(base_url=client.url, timeout=600, trust_env=False) as http:
                _teach(http)
                times = _measure(http, rounds)
    reference = float(np.median(times["four /infer"]))
    rows = [
        (name, float(np.median(found)), float(np.percentile(found, 95)), reference / float(np.median(found)))
        for name, found in times.items()
    ]
    print_table("Four ROIs, milliseconds", ("", "median", "p95", "ratio"), rows)


def _frames() -> list[np.ndarray]:
    """Four discs on one picture each: (1024, 1024, 3)."""
    discs = [draw_disc(seed, size=SIZE).image_rgb for seed in range(1, 1 + 4 * GOOD)]
    return [
        np.vstack([np.hstack(discs[first : first + 2]), np.hstack(discs[first + 2 : first + 4])])
        for first in range(0, len(discs), 4)
    ]


def _rois() -> list[dict[str, Any]]:
    ring = ring_shape(SIZE)
    centres = [(float(ring["cx"]) + x, float(ring["cy"]) + y) for y in (0, SIZE) for x in (0, SIZE)]
    return [
        {"roi_id": f"ring{number}", "shape": {**ring, "cx": cx, "cy": cy}} for number, (cx, cy) in enumerate(centres)
    ]


def _teach(http: httpx.Client) -> None:
    frames = [("images", (f"{number}.png", encode_png(frame))) for number, frame in enumerate(_frames())]
    path, master = f"/layouts/{ROLE}", {"image": frames[0][1]}
    http.put(f"{path}/master", params={"revision": 0}, files=master).raise_for_status()
    body = {"revision": 1, "mm_per_px": MM_PER_PX, "rois": _rois()}
    http.put(path, json=body).raise_for_status()
    http.post(f"{path}/samples", data={"label": "ok"}, files=frames).raise_for_status()
    for roi in _rois():
        place = {"role_id": ROLE, "roi_id": roi["roi_id"], "mm_per_px": MM_PER_PX}
        http.post("/fit_ok", data={**place, "use_dataset": True}).raise_for_status()
        http.post("/calibrate_ng", json=place).raise_for_status()


def _measure(http: httpx.Client, rounds: int) -> dict[str, np.ndarray]:
    frame = _frames()[0]
    cut = roi_pictures([Roi.model_validate(roi) for roi in _rois()], frame, None)
    forms = [
        {
            "role_id": ROLE, "roi_id": one.roi_id, "mm_per_px": MM_PER_PX,
            "shape": json.dumps(one.shape.model_dump()),
        }
        for one in cut
    ]  # fmt: skip
    pictures, whole = [encode_png(one.image_rgb) for one in cut], encode_png(frame)

    def four() -> None:
        for form, picture in zip(forms, pictures, strict=True):
            http.post("/infer", data=form, files={"image": ("roi.png", picture)}).raise_for_status()

    def one() -> None:
        http.post("/inspect", data={"role_id": ROLE}, files={"image": ("part.png", whole)}).raise_for_status()

    return interleaved_ms({"four /infer": four, "one /inspect": one}, rounds=rounds)


if __name__ == "__main__":
    typer.run(main)
