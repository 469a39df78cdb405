"""Samples and inspections as a screen shows them: what there is to know of each, and a small picture."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from service.settings import Settings
from tests.conftest import settings_for
from tests.kit.parts import (
    RING,
    ROI,
    SCALE,
    SIZE,
    assert_problem,
    disc,
    infer,
    png,
    serving,
    spoiled_disc,
    upload,
    wait_until,
)


def samples(client: TestClient, label: str = "ok") -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/datasets/samples", params={**ROI, "label": label}).json()["samples"]
    return found


def test_samples_are_listed_with_their_shape_size_source_and_golden_mark(client: TestClient) -> None:
    assert samples(client) == []
    files = upload(client, 2, metas=[json.dumps({"shape": RING}), "{}"]).json()["files"]
    client.put("/datasets/golden", json={**ROI, "label": "ok", "filename": files[1], "expected": "OK"})
    first, second = samples(client)
    assert [first["filename"], second["filename"]] == files
    assert first | {"filename": "", "created": ""} == {
        "filename": "", "label": "ok", "width": SIZE, "height": SIZE, "mm_per_px": SCALE, "shape": json.loads(RING),
        "created": "", "source_name": "good0.png", "golden": None, "part_id": None,
    }  # fmt: skip
    assert (second["shape"], second["golden"]) == (None, "OK")
    assert samples(client, "ng") == []


def test_a_sample_has_a_small_picture_that_a_browser_may_keep(client: TestClient) -> None:
    wide = np.zeros((60, 240, 3), np.uint8)
    wide[:, 120:] = 255, 0, 0
    form = {**ROI, "mm_per_px": SCALE}
    [name] = client.post("/datasets/ng/upload", data=form, files={"images": ("w.png", png(wide))}).json()["files"]
    ask = {**ROI, "label": "ng", "filename": name}
    answer = client.get("/datasets/thumbnail", params={**ask, "side": 120})
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    small = Image.open(io.BytesIO(answer.content))
    assert (small.format, small.size) == ("JPEG", (120, 30))
    red, green, blue = small.convert("RGB").getpixel((110, 15))  # type: ignore[misc]
    assert red > 200 > green + blue
    assert Image.open(io.BytesIO(client.get("/datasets/thumbnail", params=ask).content)).size == (160, 40)
    largest = client.get("/datasets/thumbnail", params={**ask, "side": 1024})
    assert Image.open(io.BytesIO(largest.content)).size == (240, 60)  # never enlarged


def test_what_cannot_be_shown_small_is_said(client: TestClient, settings: Settings) -> None:
    [name] = upload(client, 1).json()["files"]
    ask = {**ROI, "label": "ok", "filename": name}
    assert_problem(client.get("/datasets/thumbnail", params={**ask, "label": "ng"}), 404, name)
    assert_problem(client.get("/datasets/thumbnail", params={**ask, "side": 4}), 422, "side")
    assert_problem(client.get("/datasets/thumbnail", params={**ask, "side": 9000}), 422, "side")
    [stored] = Path(settings.data_root).rglob(name)
    stored.write_bytes(disc(0)[:2000])
    problem = assert_problem(client.get("/datasets/thumbnail", params=ask), 500, name)
    assert problem["code"] == "sample_damaged"
    assert_problem(client.get("/inspections/20261123T071455123456-3f9a1c2d/thumbnail"), 404)


def test_an_inspection_that_kept_its_picture_has_a_small_one(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=0)) as client:
        bad, good = infer(client, spoiled_disc(50)).json(), infer(client).json()
        assert (bad["verdict"], good["verdict"]) == ("NG", "OK")
        path = f"/inspections/{bad['inspection_id']}/thumbnail"
        wait_until(lambda: client.get(path).status_code == 200)
        assert Image.open(io.BytesIO(client.get(path, params={"side": 64}).content)).size == (64, 64)
        assert_problem(client.get(f"/inspections/{good['inspection_id']}/thumbnail"), 404, "not kept")
