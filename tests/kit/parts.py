"""Parts, pictures and calls that the tests share: drawn discs, and what a GUI would send."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fastapi.testclient import TestClient
from httpx import Client, Response
from PIL import Image

from service.__main__ import make_backend
from service.api.app import create_app
from service.demo.discs import draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from service.settings import Settings
from service.store.audit.chain import Entry, newest
from tests.kit.twin import TwinEngine

SIZE = 256
SCALE = MM_PER_PX * 512 / SIZE
ROI = {"role_id": "disc", "roi_id": "ring"}
RING = json.dumps(ring_shape(SIZE))
FORM: dict[str, Any] = {**ROI, "mm_per_px": SCALE, "shape": RING}


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(image_rgb: np.ndarray) -> bytes:
    return encoded(Image.fromarray(image_rgb), "PNG", compress_level=1)


@lru_cache(maxsize=64)
def disc(seed: int, defect: str | None = None, area_mm2: float = 12.0) -> bytes:
    """A drawn brake disc, 256 px, as PNG."""
    return png(draw_disc(seed, defect=defect, area_mm2=area_mm2, size=SIZE).image_rgb)


@lru_cache(maxsize=8)
def spoiled_disc(seed: int) -> bytes:
    """A disc with a red blot of 14 mm on its ring: nobody, not even the twin, takes it for a good one."""
    image = draw_disc(seed, size=SIZE).image_rgb.copy()
    cv2.circle(image, (SIZE // 2 + 94, SIZE // 2), 14, (255, 0, 0), -1)
    return png(image)


def good_pictures(count: int, first: int = 0, field: str = "images") -> list[tuple[str, tuple[str, bytes]]]:
    return [(field, (f"good{seed}.png", disc(seed))) for seed in range(first, first + count)]


def fit(client: TestClient | Client, count: int = 4, **form: Any) -> Response:
    return client.post("/fit_ok", data={**FORM, **form}, files=good_pictures(count))


def calibrate(client: TestClient | Client, **fields: Any) -> Response:
    return client.post("/calibrate_ng", json={**ROI, "mm_per_px": SCALE, **fields})


def infer(client: TestClient | Client, image: bytes | None = None, name: str = "part.png", **form: Any) -> Response:
    """Inspect a picture; without one, a part the model has been taught with, which is good whatever the threshold."""
    return client.post("/infer", data={**FORM, **form}, files={"image": (name, image or disc(1))})


def upload(client: TestClient | Client, count: int = 3, label: str = "ok", first: int = 0, **form: Any) -> Response:
    plain = {name: value for name, value in FORM.items() if name != "shape"}
    return client.post(f"/datasets/{label}/upload", data={**plain, **form}, files=good_pictures(count, first))


def state(client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/state", params=ROI).json()
    return answer


@contextmanager
def serving(
    settings: Settings, build: Callable[[], Any] | None = None, *, ready: bool = True, crashes_raise: bool = True
) -> Iterator[TestClient]:
    """A client of a service in this process, on the twin unless `build` makes another engine."""
    backend = make_backend(settings, build or TwinEngine)
    app = create_app(backend)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=crashes_raise) as client:
        if ready:
            wait_until(lambda: backend.device.loader.state == "ready")
        yield client


def audit_entries(data_root: Path) -> list[Entry]:
    """Oldest first."""
    return list(newest(data_root))[::-1]


def wait_until(condition: Callable[[], Any], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def assert_problem(answer: Response, status: int, *said: str) -> dict[str, Any]:
    """The answer is an RFC 9457 problem with every field, and its sentence contains all of `said`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "code", "error", "request_id"}
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in problem["detail"]
    for words in said:
        assert words in problem["detail"]
    return problem
