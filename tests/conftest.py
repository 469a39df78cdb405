from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.api.app import create_app
from service.backend import Backend
from service.demo_parts import MM_PER_PX, draw_disc, ring_shape
from service.settings import Settings
from tests.twin import TwinEngine

RING = '{"kind":"annulus","cx":128,"cy":128,"r":100,"r_inner":56}'
SHARED = Path(__file__).parents[2] / "shared"


def png(image_rgb: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image_rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()


def disc(seed: int, defect: str | None = None, area_mm2: float = 12.0) -> bytes:
    """A drawn brake disc, 256 px, as PNG."""
    return png(draw_disc(seed, defect=defect, area_mm2=area_mm2, size=256).image_rgb)


SCALE = MM_PER_PX * 512 / 256
ROI = {"role_id": "disc", "roi_id": "ring"}
FORM = {**ROI, "mm_per_px": SCALE, "shape": __import__("json").dumps(ring_shape(256))}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(BACKEND_DATA_ROOT=tmp_path / "data", BACKEND_MIN_FREE_MB=0, BACKEND_INPUT_SIZE=128)  # type: ignore[call-arg]


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    yield from serve(settings)


def serve(settings: Settings, engine: TwinEngine | None = None) -> Iterator[TestClient]:
    twin = engine or TwinEngine()
    with TestClient(create_app(Backend(settings, lambda: twin)), base_url="http://localhost") as client:
        yield client
