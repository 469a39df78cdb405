"""Which training pictures to question: one unlike the others, and one that hides what is bad about an NG sample."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.demo.discs import draw_disc
from service.insight.nearest_good import two_owners
from tests.kit.parts import FORM, RING, ROI, SCALE, SIZE, assert_problem, calibrate, disc, png, spoiled_disc


def store(client: TestClient, label: str, pictures: list[bytes]) -> list[str]:
    plain = {name: value for name, value in FORM.items() if name != "shape"}
    metas = [json.dumps({"shape": RING})] * len(pictures)
    images = [("images", (f"{number}.png", picture)) for number, picture in enumerate(pictures)]
    answer = client.post(f"/datasets/{label}/upload", data={**plain, "metas": metas}, files=images)
    assert answer.status_code == 200, answer.text
    files: list[str] = answer.json()["files"]
    return files


def teach(client: TestClient) -> None:
    assert client.post("/fit_ok", data={**ROI, "mm_per_px": SCALE, "use_dataset": "true"}).status_code == 200
    assert calibrate(client).status_code == 200


def questionable(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/models/questionable", params={**ROI, **query})
    assert answer.status_code == 200, answer.text
    samples: list[dict[str, Any]] = answer.json()["samples"]
    return samples


def spoiled_elsewhere() -> bytes:
    """Another part with the same red blot, taken for good by mistake."""
    image = draw_disc(8, size=SIZE).image_rgb.copy()
    cv2.circle(image, (SIZE // 2 - 94, SIZE // 2), 14, (255, 0, 0), -1)
    return png(image)


def test_among_pictures_that_are_alike_nothing_is_to_question(client: TestClient) -> None:
    """Four of a kind: whatever the seeds, no score stands out."""
    store(client, "ok", [disc(seed) for seed in range(4)])
    store(client, "ng", [spoiled_disc(20)])
    teach(client)
    assert questionable(client) == []


def test_a_bad_part_among_the_good_is_found_by_its_score(client: TestClient) -> None:
    files = store(client, "ok", [*(disc(seed) for seed in range(11)), spoiled_elsewhere()])
    teach(client)
    [found] = questionable(client)
    assert (found["filename"], found["reason"]) == (files[-1], "odd_score")
    assert found["held_out_score"] > 0


def test_a_picture_that_hides_an_ng_sample_is_named_and_taken_out_no_longer(client: TestClient) -> None:
    """Two such pictures vouch for each other: neither of their scores is odd."""
    files = store(client, "ok", [*(disc(seed) for seed in range(6)), spoiled_elsewhere()])
    store(client, "ng", [spoiled_disc(20)])
    teach(client)
    found = {sample["filename"]: sample["reason"] for sample in questionable(client)}
    assert files[-1] in found
    assert not set(files[:-1]) & set(found)
    assert client.delete("/datasets/file", params={**ROI, "label": "ok", "filename": files[-1]}).status_code == 200
    assert questionable(client) == []  # it cannot be looked at any more
    teach(client)
    assert "like_ng" not in {sample["reason"] for sample in questionable(client)}


def test_what_is_not_there_is_refused(client: TestClient) -> None:
    assert_problem(client.get("/models/questionable", params=ROI), 400, "fit")
    store(client, "ok", [disc(seed) for seed in range(4)])
    teach(client)
    assert_problem(client.get("/models/questionable", params={**ROI, "model_version": 9}), 404, "9")


def test_the_nearest_owner_and_the_distance_without_it() -> None:
    vectors, owners = np.array([[0.0, 0], [1, 0], [10, 0]]), np.array([0, 0, 1])
    queries = np.array([[0.2, 0], [9, 0]])
    nearest, owner, without = two_owners(queries, vectors, owners)
    assert nearest.tolist() == pytest.approx([0.2, 1.0])
    assert owner.tolist() == [0, 1]
    assert without.tolist() == pytest.approx([9.8, 8.0])
    assert two_owners(queries, vectors, np.zeros(3, int))[2].tolist() == [np.inf, np.inf]
