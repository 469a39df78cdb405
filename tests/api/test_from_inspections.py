"""What was inspected becomes a sample: the picture that was judged, with the shape and scale it was judged with."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from service.settings import Settings
from service.store.records.database import inspections
from tests.conftest import settings_for
from tests.kit.parts import (
    FORM,
    RING,
    ROI,
    SCALE,
    assert_problem,
    audit_entries,
    disc,
    infer,
    serving,
    spoiled_disc,
    wait_until,
)

RECT = {"kind": "rect", "x": 20.0, "y": 30.0, "w": 100.0, "h": 90.0}


@pytest.fixture
def keeping(data_root: Path) -> Iterator[TestClient]:
    """A taught service that keeps the picture of every inspection."""
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=1)) as client:
        yield client


def take(client: TestClient, ids: list[str], label: str = "ok", **place: str) -> Response:
    return client.post(f"/datasets/{label}/from_inspections", json={**ROI, **place, "inspection_ids": ids})


def inspected(client: TestClient, image: bytes | None = None, **form: Any) -> str:
    answer = infer(client, image, **form).json()
    wait_until(lambda: client.get(f"/inspections/{answer['inspection_id']}/image").status_code == 200)
    return str(answer["inspection_id"])


def about(client: TestClient, label: str, filename: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/datasets/meta", params={**ROI, "label": label, "filename": filename}).json()
    return found


def test_inspections_become_samples_with_their_picture_shape_and_scale(keeping: TestClient, settings: Settings) -> None:
    ring = inspected(keeping, spoiled_disc(50), part_id="A-1")
    rect = inspected(keeping, disc(51), shape=json.dumps(RECT))
    answer = take(keeping, [ring, rect, ring], "ng").json()
    assert (answer["saved"], answer["count"]) == (2, 2)
    first, second = (about(keeping, "ng", name) for name in answer["files"])
    assert (first["shape"], second["shape"]) == (json.loads(RING), RECT)
    assert (first["source_name"], second["source_name"]) == (ring, rect)
    assert (first["mm_per_px"], first["meta"]) == (SCALE, {"part_id": "A-1"})
    ask = {**ROI, "label": "ng", "filename": answer["files"][0]}
    stored = np.asarray(Image.open(io.BytesIO(keeping.get("/datasets/file", params=ask).content)))
    assert (stored == np.asarray(Image.open(io.BytesIO(spoiled_disc(50))))).all()
    noted = audit_entries(settings.data_root)[-1]
    assert (noted.action, noted.new) == ("dataset_add", {"files": answer["files"]})


def test_the_taught_shape_is_in_the_record_of_an_inspection_that_sent_none(keeping: TestClient) -> None:
    form = {name: value for name, value in FORM.items() if name != "shape"}
    answer = keeping.post("/infer", data=form, files={"image": ("p.png", disc(1))}).json()
    assert answer["params"]["shape"] == json.loads(RING)
    record = keeping.get(f"/inspections/{answer['inspection_id']}").json()
    assert record["params"]["shape"] == json.loads(RING)


def test_those_without_a_picture_are_named_and_nothing_is_stored(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=0)) as client:
        bad = inspected(client, spoiled_disc(50))
        good, unknown = infer(client).json()["inspection_id"], "20261123T071455123456-3f9a1c2d"
        problem = assert_problem(take(client, [bad, good, unknown]), 404, good, unknown, "nothing was stored")
        assert bad not in problem["detail"]
        many = [f"20261123T0714551234{number:02}-3f9a1c2d" for number in range(30)]
        assert_problem(take(client, many), 404, many[9], "and 20 more")
        assert client.get("/state", params=ROI).json()["dataset"] == {"ok": 0, "ng": 0}


def test_an_inspection_of_another_roi_is_refused(keeping: TestClient) -> None:
    one = inspected(keeping)
    assert_problem(take(keeping, [one], roi_id="hub"), 422, one, "disc/ring", "disc/hub")
    assert_problem(take(keeping, []), 422, "inspection_ids")
    assert_problem(take(keeping, [one] * 1001), 422, "inspection_ids")
    assert_problem(take(keeping, [one], "perhaps"), 422, "label")


def test_a_record_that_does_not_know_its_shape_gives_no_sample(keeping: TestClient) -> None:
    """One of an earlier version: the whole picture would teach what lies outside of the shape."""
    one = inspected(keeping)
    params = keeping.get(f"/inspections/{one}").json()["params"]
    del params["shape"]
    with keeping.app.state.backend.kept.database.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(sa.update(inspections).values(params=params))
    assert keeping.get(f"/inspections/{one}").json()["params"]["shape"] is None
    assert_problem(take(keeping, [one]), 404, one)


def test_a_model_can_be_taught_from_what_was_inspected(keeping: TestClient) -> None:
    ids = [inspected(keeping, disc(seed)) for seed in range(4)]
    files = take(keeping, ids).json()["files"]
    form = {**ROI, "mm_per_px": SCALE, "use_dataset": "true"}
    assert keeping.post("/fit_ok", data=form).json()["n_images"] == 4
    scores = keeping.get("/models/scores", params=ROI).json()["ok"]
    assert [score["filename"] for score in scores] == files
    picture = keeping.get("/datasets/file", params={**ROI, "label": "ok", "filename": files[0]}).content
    assert hashlib.sha256(picture).hexdigest() == about(keeping, "ok", files[0])["sha256"]
