"""The routes that plants' GUIs already speak: names, types and status codes exactly as CONTRACT.md fixes them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from tests.conftest import settings_for
from tests.kit.parts import FORM, ROI, SCALE, SIZE, assert_problem, calibrate, disc, fit, infer, serving, spoiled_disc

NUMBER = (int, float)
NONE = type(None)
HEALTH = {
    "status": str, "device": str, "device_name": str, "model": str, "version": str, "gpu_mem_mb": NUMBER,
    "models_loaded": int, "uptime_s": NUMBER, "training_frozen": bool, "latency_infer_ms": dict, "request_id": str,
}  # fmt: skip
FIT = {
    "n_images": int, "n_embeddings": int, "coreset_size": int, "token_shape": [int], "coreset_rate_requested": float,
    "coreset_rate_applied": float, "model_version": int, "active": bool, "ok_scores": [float], "duration_s": NUMBER,
    "request_id": str,
}  # fmt: skip
CALIBRATION = {
    "threshold": float, "ok_mean": float, "ng_mean": (float, NONE), "p99_ok": float, "p5_ng": (float, NONE),
    "mm_per_px": float, "area_mm2_thr": float, "score_percentile": NUMBER, "method": str, "n_ok": int, "n_ng": int,
    "false_reject_rate": float, "false_reject_ci95": [float], "miss_rate": (float, NONE),
    "miss_ci95": (list, NONE), "overlap": (bool, NONE), "model_version": int, "request_id": str,
}  # fmt: skip
INFER = {
    "role_id": str, "roi_id": str, "score": float, "threshold": float, "verdict": str, "token_shape": [int],
    "heatmap_png_base64": str, "regions": list, "params": dict, "model_version": int, "inspection_id": str,
    "timings_ms": dict, "request_id": str,
}  # fmt: skip
REGION = {
    "bbox": [int], "x": int, "y": int, "w": int, "h": int, "area_px": float, "area_mm2": float, "score": float,
    "contour": list,
}  # fmt: skip
PARAMS = {
    "extractor": str, "input_size": int, "coreset_rate": float, "score_percentile": NUMBER, "area_mm2_thr": float,
    "mm_per_px": float,
}  # fmt: skip


def assert_fields(found: dict[str, Any], fields: dict[str, Any]) -> None:
    """Every field is there with its type; more are fine."""
    for name, kind in fields.items():
        assert name in found, name
        items = found[name] if isinstance(kind, list) else [found[name]]
        for item in items:
            assert isinstance(item, kind[0] if isinstance(kind, list) else kind), (name, item)


def test_the_first_four_routes_answer_as_the_contract_says(client: TestClient) -> None:
    health = client.get("/health").json()
    assert_fields(health, HEALTH)
    assert set(health["latency_infer_ms"]) == {"p50", "p95"}

    assert_problem(infer(client), 400, "memory not fitted")
    fitted = fit(client, 4, memory_fit="false", model_key="what the older GUI also sends").json()
    assert_fields(fitted, FIT)
    assert (fitted["n_images"], len(fitted["token_shape"]), len(fitted["ok_scores"])) == (4, 2, 4)

    assert_problem(infer(client), 428, "run POST /calibrate_ng")
    calibrated = calibrate(client).json()
    assert_fields(calibrated, CALIBRATION)
    assert len(calibrated["false_reject_ci95"]) == 2

    good, bad = infer(client).json(), infer(client, spoiled_disc(50)).json()
    for answer, verdict in ((good, "OK"), (bad, "NG")):
        assert_fields(answer, INFER)
        assert_fields(answer["params"], PARAMS)
        assert answer["verdict"] == verdict
        assert (answer["score"] >= answer["threshold"]) == (verdict == "NG") == bool(answer["regions"])
    for region in bad["regions"]:
        assert_fields(region, REGION)
        assert region["bbox"] == [region[side] for side in "xywh"]
        assert all(len(point) == 2 for point in region["contour"])
    assert set(bad["timings_ms"]) >= {"decode", "queue", "embed", "neighbours", "map", "record", "total"}


def test_the_heat_map_is_grey_of_the_rois_size_and_the_region_is_where_the_blot_is(taught: TestClient) -> None:
    answer = infer(taught, spoiled_disc(50)).json()
    picture = Image.open(io.BytesIO(base64.b64decode(answer["heatmap_png_base64"])))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (SIZE, SIZE))
    heat = np.asarray(picture)
    x, y, w, h = answer["regions"][0]["bbox"]
    assert x <= SIZE // 2 + 94 < x + w
    assert y <= SIZE // 2 < y + h
    assert heat[SIZE // 2, SIZE // 2 + 94] == 255
    assert heat[SIZE // 2, SIZE // 2] == 0  # the hub is outside of the shape
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(infer(taught).json()["heatmap_png_base64"])))).max() < 128
    assert infer(taught, heatmap="false").json()["heatmap_png_base64"] is None


def test_json_names_may_differ_in_nothing_but_forms_take_what_net_sends(taught: TestClient) -> None:
    """.NET sends booleans as True/False and true/false."""
    for value in ("true", "True", "TRUE", "1"):
        assert infer(taught, allow_uncalibrated=value).status_code == 200
    assert fit(taught, 2, stage="True", memory_fit="False").json()["active"] is False


def test_without_calibration_a_score_can_be_had_on_request_but_no_verdict(client: TestClient) -> None:
    fit(client, 4)
    answer = infer(client, spoiled_disc(50), allow_uncalibrated="true").json()
    assert (answer["threshold"], answer["verdict"], answer["regions"]) == (None, None, [])
    assert answer["score"] > 0
    assert answer["heatmap_png_base64"]


def test_an_older_gui_gets_scores_without_calibration_when_the_plant_says_so(tmp_path: Path) -> None:
    with serving(settings_for(tmp_path, BACKEND_REQUIRE_CALIBRATION="false")) as client:
        fit(client, 4)
        answer = infer(client)
        assert (answer.status_code, answer.json()["threshold"], answer.json()["verdict"]) == (200, None, None)
        calibrate(client)
        assert infer(client).json()["verdict"] == "OK"


def test_keeping_every_patch_keeps_every_patch(client: TestClient) -> None:
    everything = fit(client, 3, memory_fit="true").json()
    assert everything["coreset_size"] == everything["n_embeddings"]
    assert everything["coreset_rate_applied"] == 1.0
    assert infer(client, disc(0), allow_uncalibrated="true").json()["score"] < min(everything["ok_scores"])


def test_patches_outside_of_the_shape_are_not_learned(client: TestClient) -> None:
    everywhere = fit(client, 2, shape="", memory_fit="true").json()
    ring_only = fit(client, 2, memory_fit="true").json()
    assert ring_only["n_embeddings"] < everywhere["n_embeddings"]


def test_scores_of_good_parts_are_out_of_sample(client: TestClient) -> None:
    """A part scored against a bank that knows it would get about zero."""
    fitted = fit(client, 4, memory_fit="true").json()
    form = {**FORM}
    files = [("images", (f"{seed}.png", disc(seed))) for seed in range(4)]
    in_sample = client.post("/scores", data=form, files=files).json()["scores"]
    assert max(in_sample) < 0.05
    assert min(fitted["ok_scores"]) > 4 * max(in_sample)


def test_calibration_takes_the_clients_scores_or_the_stores(taught: TestClient) -> None:
    own = calibrate(taught).json()
    assert (own["n_ok"], own["n_ng"], own["ng_mean"], own["miss_rate"]) == (6, 0, None, None)
    sent = calibrate(taught, ok_scores=[1.0, 1.1, 1.2, 1.3], ng_scores=[5.0, 6.0]).json()
    assert (sent["n_ok"], sent["n_ng"], sent["overlap"], sent["miss_rate"]) == (4, 2, False, 0.0)
    assert 1.3 < sent["threshold"] <= 5.0
    assert infer(taught).json()["threshold"] == sent["threshold"]


def test_scores_the_client_sends_hold_for_the_area_they_were_measured_with(taught: TestClient) -> None:
    calibrate(taught, area_mm2_thr=4.0)
    assert infer(taught).json()["params"]["area_mm2_thr"] == 4.0
    sent = calibrate(taught, ok_scores=[1, 1.1, 1.2], ng_scores=[], area_mm2_thr=9.0).json()
    assert sent["area_mm2_thr"] == 4.0
    assert any("area_mm2_thr 9 was not applied" in warning for warning in sent["warnings"])
    assert calibrate(taught, area_mm2_thr=9.0).json()["area_mm2_thr"] == 9.0


def test_a_larger_area_asks_for_a_larger_defect(taught: TestClient) -> None:
    scores = [infer(taught, spoiled_disc(50)).json()["score"]]
    for area in (20.0, 60.0, 150.0):
        calibrate(taught, area_mm2_thr=area)
        scores.append(infer(taught, spoiled_disc(50)).json()["score"])
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < scores[0]


def test_too_few_scores_are_refused_with_what_to_do(client: TestClient) -> None:
    fit(client, 2)
    assert_problem(calibrate(client), 422, "2 given", "add good samples")
    fit(client, 1)
    assert_problem(calibrate(client), 422, "ok_scores")


def test_calibrating_what_is_not_there_is_a_400_or_404(taught: TestClient) -> None:
    assert_problem(calibrate(taught, role_id="other"), 400, "memory not fitted")
    assert_problem(calibrate(taught, model_version=7), 404, "version 7")
    assert_problem(taught.post("/infer_dataset", json={**ROI, "role_id": "other"}), 400, "memory not fitted")
    assert_problem(taught.post("/scores", data={**FORM, "roi_id": "x"}, files={"images": disc(1)}), 400, "not fitted")
    assert calibrate(taught, mm_per_px=SCALE, model_version=1).status_code == 200
