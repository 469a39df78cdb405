"""Samples of an ROI: upload, look, fit from them, delete."""

from __future__ import annotations

import hashlib
import io
import json
import threading

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from tests.kit.parts import (
    RING,
    ROI,
    SCALE,
    SIZE,
    assert_problem,
    calibrate,
    disc,
    encoded,
    fit,
    good_pictures,
    infer,
    spoiled_disc,
    upload,
)

FROM_DATASET = {**ROI, "mm_per_px": SCALE, "use_dataset": "true"}


def listed(client: TestClient) -> dict[str, list[str]]:
    classes = client.get("/datasets/list", params=ROI).json()["classes"]
    assert all(found["count"] == len(found["files"]) for found in classes.values())
    return {label: found["files"] for label, found in classes.items()}


def ask(label: str, filename: str) -> dict[str, str]:
    return {**ROI, "label": label, "filename": filename}


def test_samples_are_uploaded_listed_shown_and_deleted(client: TestClient) -> None:
    assert listed(client) == {"ok": [], "ng": []}
    meta = {"mm_per_px": SCALE, "shape": json.loads(RING), "station": "línea 2", "operator": None, "gain": 1.5}
    form = {**ROI, "metas": [json.dumps(meta), json.dumps({**meta, "shape": RING})]}
    answer = client.post("/datasets/ok/upload", data=form, files=good_pictures(2)).json()
    assert (answer["saved"], answer["count"]) == (2, 2)
    assert upload(client, 1, label="ng").json()["count"] == 1
    files = listed(client)
    assert files["ok"] == answer["files"]
    assert len(files["ng"]) == 1

    picture = client.get("/datasets/file", params=ask("ok", files["ok"][1]))
    assert picture.headers["content-type"] == "image/png"
    original = np.asarray(Image.open(io.BytesIO(disc(1))))
    assert (np.asarray(Image.open(io.BytesIO(picture.content))) == original).all()
    for name in files["ok"]:
        kept = client.get("/datasets/meta", params=ask("ok", name)).json()
        assert kept["shape"] == json.loads(RING)
        assert kept["meta"] == {"station": "línea 2", "operator": None, "gain": 1.5}
        assert (kept["mm_per_px"], kept["width"], kept["height"], kept["label"]) == (SCALE, SIZE, SIZE, "ok")
    assert kept["source_name"] == "good1.png"
    assert kept["sha256"] == hashlib.sha256(picture.content).hexdigest()

    assert client.delete("/datasets/file", params=ask("ok", files["ok"][0])).json()["deleted"] == 1
    assert_problem(client.delete("/datasets/file", params=ask("ok", files["ok"][0])), 404, files["ok"][0])
    assert_problem(client.get("/datasets/file", params=ask("ng", files["ok"][1])), 404)
    assert client.delete("/datasets/clear", params={**ROI, "label": "ok"}).json()["deleted"] == 1
    assert client.delete("/datasets/clear", params={**ROI, "label": "ok"}).json()["deleted"] == 0
    assert listed(client) == {"ok": [], "ng": files["ng"]}


def test_an_upright_picture_is_stored_whatever_was_uploaded(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = encoded(Image.new("RGB", (80, 40), "red"), "JPEG", exif=exif)
    form = {**ROI, "mm_per_px": SCALE}
    name = client.post("/datasets/ok/upload", data=form, files={"images": ("p.jpg", photo)}).json()["files"][0]
    picture = Image.open(io.BytesIO(client.get("/datasets/file", params=ask("ok", name)).content))
    assert (picture.format, picture.size) == ("PNG", (40, 80))


def test_a_fit_from_the_dataset_equals_one_from_the_same_pictures(client: TestClient) -> None:
    upload(client, 4, metas=[json.dumps({"shape": RING})] * 4)
    stored = client.post("/fit_ok", data=FROM_DATASET)
    assert stored.json()["ok_scores"] == fit(client, 4).json()["ok_scores"]
    assert_problem(client.post("/fit_ok", data={**FROM_DATASET, "mm_per_px": "0.25"}), 409, "0.25")


def test_the_dataset_gives_scores_verdicts_and_a_calibration(client: TestClient) -> None:
    metas = [json.dumps({"shape": RING})] * 4
    good = upload(client, 4, metas=metas).json()["files"]
    fit(client, 4)
    bad_form = {**ROI, "mm_per_px": SCALE, "metas": metas[:2]}
    bad_files = [("images", (f"bad{seed}.png", spoiled_disc(seed))) for seed in (60, 61)]
    bad = client.post("/datasets/ng/upload", data=bad_form, files=bad_files).json()["files"]

    before = client.post("/infer_dataset", json=ROI).json()
    assert [(found["filename"], found["label"]) for found in before["results"]] == [
        *((name, "ok") for name in good),
        *((name, "ng") for name in bad),
    ]
    assert {found["verdict"] for found in before["results"]} == {None}
    calibrated = client.post("/calibrate_dataset", json=ROI).json()
    assert (calibrated["n_ok"], calibrated["n_ng"], calibrated["overlap"], calibrated["miss_rate"]) == (4, 2, False, 0)
    assert calibrate(client).json()["threshold"] == calibrated["threshold"]
    after = client.post("/infer_dataset", json={**ROI, "model_version": 1}).json()
    assert after["threshold"] == calibrated["threshold"]
    assert [found["verdict"] for found in after["results"]] == ["OK"] * 4 + ["NG"] * 2
    assert client.get("/inspections").json()["total"] == 0  # looking at samples is no inspection


def test_the_scores_route_scores_as_an_inspection_does(taught: TestClient) -> None:
    form = {**ROI, "mm_per_px": SCALE, "shape": RING}
    files = [("images", ("a.png", disc(1))), ("images", ("b.png", spoiled_disc(50)))]
    found = taught.post("/scores", data=form, files=files).json()
    assert found["scores"] == [infer(taught).json()["score"], infer(taught, spoiled_disc(50)).json()["score"]]
    assert (found["model_version"], found["area_mm2_thr"]) == (1, 1.0)


def test_a_refused_upload_stores_none_of_its_pictures(client: TestClient) -> None:
    files = [*good_pictures(3), ("images", ("cut.png", disc(9)[:2000]))]
    assert_problem(client.post("/datasets/ok/upload", data={**ROI, "mm_per_px": SCALE}, files=files), 422, "cut.png")
    scales = [json.dumps({"mm_per_px": scale}) for scale in (0.5, 0.5, 0.25)]
    assert_problem(upload(client, 3, metas=scales), 409)
    assert listed(client) == {"ok": [], "ng": []}


def test_uploads_of_many_stations_at_once_all_arrive_and_agree_on_one_scale(client: TestClient) -> None:
    answers = []

    def station(number: int) -> None:
        scale = SCALE if number % 2 else SCALE / 2
        answers.append(upload(client, 2, first=number, mm_per_px=str(scale)).status_code)

    threads = [threading.Thread(target=station, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 4 + [409] * 4
    assert len(listed(client)["ok"]) == 8


def test_a_label_is_ok_or_ng(client: TestClient) -> None:
    assert_problem(upload(client, 1, label="perhaps"), 422, "label")
    assert_problem(client.delete("/datasets/clear", params={**ROI, "label": "all"}), 422, "label")
    assert_problem(client.delete("/datasets/clear", params=ROI), 422, "label")
