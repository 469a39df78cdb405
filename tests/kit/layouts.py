"""A layout for the drawn plate, and what a GUI would send for it."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from tests.kit.scene import CORNER, HOLE

PLATE = "/layouts/plate"


BAR = {"roi_id": "bar", "shape": {"kind": "rect", "x": 280, "y": 90, "w": 101, "h": 60}, "angle_deg": 15.0}


RING = {"roi_id": "ring", "shape": {"kind": "annulus", "cx": 139.5, "cy": 169.5, "r": 45, "r_inner": 10}}


def mark(place: tuple[float, float], side: float = 80, reach: float = 60) -> dict[str, Any]:
    x, y = place[0] - side / 2, place[1] - side / 2
    search = {"x": x - reach, "y": y - reach, "w": side + 2 * reach, "h": side + 2 * reach}
    return {"x": x, "y": y, "w": side, "h": side, "search": search}


MARKS = [mark(HOLE), mark(CORNER)]


def put_master(client: TestClient, picture: bytes, revision: int = 0, path: str = PLATE, **query: Any) -> Response:
    query["revision"] = revision
    return client.put(f"{path}/master", params=query, files={"image": ("master.png", picture)})


def put(client: TestClient, revision: int, path: str = PLATE, **fields: Any) -> Response:
    return client.put(path, json={"revision": revision, "mm_per_px": 0.1, **fields})


def cut(client: TestClient, frames: list[bytes], path: str = PLATE, **form: Any) -> Response:
    files = [("images", (f"frame{number}.png", frame)) for number, frame in enumerate(frames)]
    return client.post(f"{path}/samples", data={"label": "ok", **form}, files=files)
