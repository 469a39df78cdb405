"""Why a region is NG: its worst patch, and the good patches nearest to it, found again in their pictures."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.contract.shapes import parse_shape
from service.insight.nearest_good import box_of, cells_of, distances, of_different_owners
from service.settings import Settings
from service.vision.network_view import network_view
from tests.conftest import settings_for
from tests.kit.parts import (
    RING,
    ROI,
    SCALE,
    SIZE,
    assert_problem,
    calibrate,
    infer,
    serving,
    spoiled_disc,
    upload,
    wait_until,
)
from tests.kit.twin import STRIDE, TwinEngine

BLOT_X, BLOT_Y, BLOT_R = SIZE // 2 + 94, SIZE // 2, 14


@pytest.fixture
def knowing(settings: Settings) -> Iterator[TestClient]:
    """A service taught from five stored samples and calibrated, which keeps every picture."""
    with serving(settings_for(settings.data_root, BACKEND_ARCHIVE_OK_EVERY=1)) as client:
        upload(client, 5, metas=[json.dumps({"shape": RING})] * 5)
        assert client.post("/fit_ok", data={**ROI, "mm_per_px": SCALE, "use_dataset": "true"}).status_code == 200
        assert calibrate(client).status_code == 200
        yield client


def judged(client: TestClient, image: bytes | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = infer(client, image).json()
    wait_until(lambda: client.get(f"/inspections/{answer['inspection_id']}/image").status_code == 200)
    return answer


def explain(client: TestClient, inspection_id: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/explain", json={"inspection_id": inspection_id, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def seen_at(picture: bytes, spot: dict[str, Any]) -> np.ndarray:
    """What the twin sees of a patch: its network picture is the ring's box, shrunk."""
    image = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    view = network_view(parse_shape(RING), SIZE, SIZE, 128, STRIDE)
    x, y, w, h = view.crop
    column, row = round((spot["x"] - x) / w * view.grid[1]), round((spot["y"] - y) / h * view.grid[0])
    twin = TwinEngine()
    vectors: np.ndarray = twin.embed(twin.recipe("twin", 128), [view.picture(image)])[0][row, column]
    return vectors


def test_the_worst_patch_lies_in_the_defect_and_its_neighbours_are_found_in_their_pictures(knowing: TestClient) -> None:
    bad = judged(knowing, spoiled_disc(50))
    found = explain(knowing, bad["inspection_id"])
    assert found["region"] == bad["regions"][0]
    assert (found["role_id"], found["roi_id"], found["model_version"]) == ("disc", "ring", 1)
    patch = found["patch"]
    middle = patch["x"] + patch["w"] / 2, patch["y"] + patch["h"] / 2
    assert np.hypot(middle[0] - BLOT_X, middle[1] - BLOT_Y) < BLOT_R + patch["w"]

    samples = {one["filename"]: one for one in knowing.get(
        "/datasets/samples", params={**ROI, "label": "ok"}
    ).json()["samples"]}  # fmt: skip
    scores = {one["filename"]: one["score"] for one in knowing.get("/models/scores", params=ROI).json()["ok"]}
    neighbours = found["neighbours"]
    assert {one["filename"] for one in neighbours} == set(samples)  # five of five different pictures
    assert [one["distance"] for one in neighbours] == sorted(one["distance"] for one in neighbours)
    assert found["distance"] == neighbours[0]["distance"] > bad["threshold"]
    description = knowing.app.state.backend.kept.models.load(**ROI, version=1)  # type: ignore[attr-defined]
    projection = description.arrays["projection"]
    query = seen_at(spoiled_disc(50), patch)
    for one in neighbours:
        assert (one["in_dataset"], one["held_out_score"]) == (True, scores[one["filename"]])
        ask = {**ROI, "label": "ok", "filename": one["filename"]}
        there = seen_at(knowing.get("/datasets/file", params=ask).content, one)
        assert np.linalg.norm((query - there) @ projection) == pytest.approx(one["distance"], rel=1e-3)


def test_more_neighbours_than_pictures_come_from_the_same_pictures_again(knowing: TestClient) -> None:
    bad = judged(knowing, spoiled_disc(50))["inspection_id"]
    five, eight = explain(knowing, bad)["neighbours"], explain(knowing, bad, k=8)["neighbours"]
    assert len(eight) == 8
    assert {one["filename"] for one in eight} == {one["filename"] for one in five}
    assert [one["distance"] for one in eight] == sorted(one["distance"] for one in eight)
    assert len(explain(knowing, bad, k=1)["neighbours"]) == 1


def test_a_neighbour_whose_picture_is_gone_is_still_named_without_a_place(knowing: TestClient) -> None:
    bad = judged(knowing, spoiled_disc(50))["inspection_id"]
    nearest = explain(knowing, bad)["neighbours"][0]
    knowing.delete("/datasets/file", params={**ROI, "label": "ok", "filename": nearest["filename"]})
    after = explain(knowing, bad)["neighbours"][0]
    assert after == nearest | {"in_dataset": False, "x": 0, "y": 0, "w": 0, "h": 0}


def test_pictures_that_were_only_sent_have_no_name(taught: TestClient) -> None:
    found = explain(taught, judged(taught, spoiled_disc(50))["inspection_id"])["neighbours"]
    assert {(one["filename"], one["in_dataset"]) for one in found} == {(None, False)}


def test_the_version_that_judged_explains_not_the_one_that_serves_now(knowing: TestClient) -> None:
    bad = judged(knowing, spoiled_disc(50))["inspection_id"]
    before = explain(knowing, bad)
    files = knowing.get("/datasets/list", params=ROI).json()["classes"]["ok"]["files"]
    knowing.delete("/datasets/file", params={**ROI, "label": "ok", "filename": files[0]})
    assert knowing.post("/fit_ok", data={**ROI, "mm_per_px": SCALE, "use_dataset": "true"}).json()["model_version"] == 2
    after = explain(knowing, bad)
    assert (after["model_version"], after["distance"]) == (1, before["distance"])


def test_what_cannot_be_explained_is_said(knowing: TestClient, settings: Settings) -> None:
    def ask(inspection_id: str, **fields: Any) -> Any:
        return knowing.post("/explain", json={"inspection_id": inspection_id, **fields})

    bad, good = judged(knowing, spoiled_disc(50))["inspection_id"], judged(knowing)["inspection_id"]
    assert_problem(ask("20261123T071455123456-3f9a1c2d"), 404, "No inspection")
    assert_problem(ask(bad, region=99), 422, "region")
    assert_problem(ask(good), 422, "0 regions")
    assert_problem(ask(bad, k=0), 422, "k")
    [picture] = settings.data_root.rglob(f"{bad}.image")
    kept = picture.read_bytes()
    picture.unlink()
    assert_problem(ask(bad), 404, bad, "not kept")
    picture.write_bytes(kept)
    assert knowing.post("/fit_ok", data={**ROI, "mm_per_px": SCALE, "use_dataset": "true"}).json()["model_version"] == 2
    shutil.rmtree(next(settings.data_root.rglob("v0001")))
    assert_problem(ask(bad), 404, "no version 1")


def test_distances_are_those_of_subtraction_in_any_number_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    queries, vectors = chance.normal(size=(5, 16)).astype(np.float32), chance.normal(size=(23, 16)).astype(np.float32)
    exact = np.linalg.norm(queries[:, None].astype(np.float64) - vectors[None], axis=2)
    assert distances(queries, vectors) == pytest.approx(exact, rel=1e-9)
    monkeypatch.setattr("service.insight.nearest_good.ROWS", 7)
    assert distances(queries, vectors) == pytest.approx(exact, rel=1e-9)
    assert distances(vectors[:1], vectors)[0, 0] == pytest.approx(0, abs=1e-6)


def test_the_nearest_come_from_different_pictures_as_far_as_there_are_any() -> None:
    away, owners = np.array([5.0, 1.0, 2.0, 3.0, 4.0, 6.0]), np.array([2, 0, 0, 1, 0, 1])
    assert of_different_owners(away, owners, 3) == [1, 3, 0]
    assert of_different_owners(away, owners, 4) == [1, 2, 3, 0]
    assert of_different_owners(away, owners, 9) == [1, 2, 3, 4, 0, 5]
    assert of_different_owners(away, owners, 1) == [1]


def test_a_region_touches_the_patches_under_it_and_always_one_that_is_compared() -> None:
    view = network_view(parse_shape(RING), SIZE, SIZE, 128, STRIDE)
    cells = cells_of([[214, 120], [230, 120], [230, 136], [214, 136]], view)
    assert 0 < cells.sum() <= 16
    assert not (cells & ~view.patches).any()
    for row, column in np.argwhere(cells):
        x, y, w, h = box_of((int(row), int(column)), view)
        assert max(x, 213) < min(x + w, 231)
        assert max(y, 119) < min(y + h, 137)
    outside = cells_of([[SIZE // 2, SIZE // 2]], view)  # the middle of a ring is no part of it
    assert outside.sum() == 1
    assert (outside & view.patches).sum() == 1
