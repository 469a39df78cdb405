"""A line that is ready: a taught role with a layout, and a folder of pictures for the simulated camera."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import cv2
import httpx
import numpy as np

from service.demo.discs import draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from tests.kit.browser import Inspector
from tests.kit.parts import ROI, SIZE, calibrate, png, wait_until

ROLE = ROI["role_id"]
GOOD = 6


def client_of(made: Inspector) -> httpx.Client:
    return httpx.Client(base_url=made.service_url, timeout=60, trust_env=False)


def teach_line(made: Inspector, size: int = SIZE) -> None:
    """Layout with one annulus, taught with good parts cut by it, calibrated."""
    scale = MM_PER_PX * 512 / size
    with client_of(made) as client:
        wait_until(lambda: client.get("/health").json()["status"] == "ok", 60)
        master = {"image": ("master.png", good(1, size))}
        _done(client.put(f"/layouts/{ROLE}/master", params={"revision": 0}, files=master))
        roi = {"roi_id": ROI["roi_id"], "shape": ring_shape(size), "angle_deg": 0}
        body = {"revision": 1, "mm_per_px": scale, "locked": False, "marks": [], "rois": [roi]}
        _done(client.put(f"/layouts/{ROLE}", json=body))
        images = [("images", (f"good{seed}.png", good(seed, size))) for seed in range(1, 1 + GOOD)]
        _done(client.post(f"/layouts/{ROLE}/samples", data={"label": "ok"}, files=images))
        _done(client.post("/fit_ok", data={**ROI, "mm_per_px": scale, "use_dataset": True}))
        _done(calibrate(client, mm_per_px=scale))


def pictures(folder: Path, size: int = SIZE) -> Path:
    """Two pictures by name: a part it was taught with, and one with a red blot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a_good.png").write_bytes(good(1, size))
    (folder / "b_spoiled.png").write_bytes(spoiled(size))
    return folder


@lru_cache(maxsize=32)
def good(seed: int, size: int = SIZE) -> bytes:
    return png(draw_disc(seed, size=size).image_rgb)


@lru_cache(maxsize=4)
def spoiled(size: int = SIZE) -> bytes:
    """The blot lies at the right of the ring, 0.37 of the picture's side from its middle."""
    image = draw_disc(3, size=size).image_rgb.copy()
    cv2.circle(image, (size // 2 + round(0.367 * size), size // 2), round(0.055 * size), (255, 0, 0), -1)
    return png(image)


def prefer(made: Inspector, **preferences: object) -> None:
    """What somebody chose earlier; before the screens are started."""
    folder = made.data_root / "gui"
    folder.mkdir(parents=True, exist_ok=True)
    known = {"backend_url": made.service_url, "role_id": ROLE, **preferences}
    (folder / "preferences.json").write_text(json.dumps(known))


def _done(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


@lru_cache(maxsize=4)
def cracked(seed: int, size: int = SIZE) -> tuple[bytes, np.ndarray]:
    """A part with a crack of 40 mm², and where it is: bool (size, size)."""
    drawn = draw_disc(seed, defect="crack", area_mm2=40, size=size)
    return png(drawn.image_rgb), drawn.mask
