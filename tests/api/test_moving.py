"""A sample gets the other label: one move, with all that is known of it."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from service.settings import Settings
from tests.kit.parts import RING, ROI, assert_problem, audit_entries, upload


def move(client: TestClient, filename: str, label: str = "ok", to: str = "ng") -> Response:
    return client.post("/datasets/move", json={**ROI, "filename": filename, "label": label, "to": to})


def listed(client: TestClient) -> dict[str, list[str]]:
    classes = client.get("/datasets/list", params=ROI).json()["classes"]
    return {label: found["files"] for label, found in classes.items()}


def about(client: TestClient, label: str, filename: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/datasets/meta", params={**ROI, "label": label, "filename": filename}).json()
    return found


def test_a_moved_sample_keeps_its_name_picture_shape_and_golden_mark(client: TestClient, settings: Settings) -> None:
    metas = [json.dumps({"shape": RING, "station": "3"})] * 2
    first, second = upload(client, 2, metas=metas).json()["files"]
    client.put("/datasets/golden", json={**ROI, "label": "ok", "filename": first, "expected": "NG"})
    ask = {**ROI, "label": "ok", "filename": first}
    before, picture = about(client, "ok", first), client.get("/datasets/file", params=ask).content
    assert move(client, first).json()["filename"] == first
    assert listed(client) == {"ok": [second], "ng": [first]}
    assert about(client, "ng", first) == before | {"label": "ng"}
    assert client.get("/datasets/file", params=ask | {"label": "ng"}).content == picture
    assert client.get("/datasets/golden", params=ROI).json()["golden"] == [
        {**ROI, "label": "ng", "filename": first, "expected": "NG"}
    ]
    assert len(list(Path(settings.data_root / "datasets").rglob("*.png"))) == 2
    noted = audit_entries(settings.data_root)[-1]
    assert (noted.action, noted.target["file"], noted.old, noted.new) == (
        "dataset_move", first, {"label": "ok"}, {"label": "ng"},
    )  # fmt: skip
    assert move(client, first, "ng", "ok").status_code == 200
    assert about(client, "ok", first) == before


def test_what_cannot_be_moved_stays(client: TestClient) -> None:
    files = upload(client, 1).json()["files"]
    assert_problem(move(client, files[0], "ng", "ok"), 404, files[0])
    assert_problem(move(client, "../../escape.png"), 404)
    assert_problem(move(client, files[0], "ok", "ok"), 422, "to:")
    assert_problem(move(client, files[0], "ok", "perhaps"), 422, "to")
    client.post("/admin/freeze", json={"why": "audit"})
    assert_problem(move(client, files[0]), 423)
    assert listed(client) == {"ok": files, "ng": []}


def test_a_move_that_fails_in_its_middle_changes_nothing(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = upload(client, 1).json()["files"]
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).suffix == ".json" and Path(target).parent.name == "ng":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert_problem(move(client, name), 507, "full")
    assert listed(client) == {"ok": [name], "ng": []}
    assert about(client, "ok", name)["label"] == "ok"
    assert [path.parent.name for path in (settings.data_root / "datasets").rglob("*.png")] == ["ok"]
    monkeypatch.undo()
    assert move(client, name).status_code == 200


def test_two_screens_that_move_one_sample_at_once_move_it_once(client: TestClient) -> None:
    [name] = upload(client, 1).json()["files"]
    with ThreadPoolExecutor(4) as screens:
        answers = list(screens.map(lambda _: move(client, name).status_code, range(4)))
    assert sorted(answers) == [200, 404, 404, 404]
    assert listed(client) == {"ok": [], "ng": [name]}
