"""Fields of requests: what is missing, malformed or does not fit is named, with what to do about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.kit.parts import (
    FORM,
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
    upload,
)

BAD_SCALES = ["0", "-1", "nan", "inf", "-inf", "1e9", "1e-9", "wide", ""]
BAD_SHAPES = {
    "no json": "round",
    "cut json": '{"kind":"rect","x":1',
    "list": "[1,2,3]",
    "number": "7",
    "unknown kind": '{"kind":"hexagon"}',
    "no kind": '{"cx":1,"cy":1,"r":1}',
    "missing field": '{"kind":"circle","cx":1,"cy":1}',
    "unknown field": '{"kind":"circle","cx":1,"cy":1,"r":9,"radius":9}',
    "outside": '{"kind":"rect","x":1000,"y":1000,"w":5,"h":5}',
    "left of it": '{"kind":"circle","cx":-50,"cy":-50,"r":20}',
    "inverted": '{"kind":"annulus","cx":128,"cy":128,"r":56,"r_inner":100}',
    "no thickness": '{"kind":"annulus","cx":128,"cy":128,"r":56,"r_inner":56}',
    "between pixels": '{"kind":"circle","cx":10.5,"cy":10.5,"r":0.1}',
    "negative": '{"kind":"rect","x":0,"y":0,"w":-5,"h":5}',
    "empty": '{"kind":"rect","x":0,"y":0,"w":0,"h":5}',
    "nan": '{"kind":"circle","cx":NaN,"cy":1,"r":5}',
    "endless": '{"kind":"circle","cx":1e999,"cy":1,"r":5}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("scale", BAD_SCALES)
def test_a_scale_that_cannot_be_one_is_refused_everywhere(taught: TestClient, scale: str) -> None:
    form = {**FORM, "mm_per_px": scale}
    assert_problem(taught.post("/fit_ok", data=form, files=good_pictures(1)), 422, "mm_per_px")
    assert_problem(taught.post("/infer", data=form, files={"image": disc(1)}), 422, "mm_per_px")
    assert_problem(taught.post("/scores", data=form, files=good_pictures(1)), 422, "mm_per_px")
    assert_problem(taught.post("/datasets/ok/upload", data=form, files=good_pictures(1)), 422, "mm_per_px")
    text = json.dumps({**ROI, "mm_per_px": scale}).replace(f'"{scale}"', scale or '""')
    answer = taught.post("/calibrate_ng", content=text, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422)


def test_another_scale_than_before_is_refused_everywhere(taught: TestClient) -> None:
    other = str(SCALE * 1.01)
    assert_problem(fit(taught, mm_per_px=other), 409, "mm_per_px", "0.5")
    assert_problem(infer(taught, mm_per_px=other), 409, "mm_per_px", "0.5")
    assert_problem(upload(taught, mm_per_px=other), 409, "mm_per_px", "0.5")
    assert_problem(calibrate(taught, mm_per_px=float(other)), 409, "mm_per_px", "0.5")
    assert infer(taught, mm_per_px=f"{SCALE:.9f}").status_code == 200


def test_samples_of_another_scale_are_refused_before_there_is_a_model(client: TestClient) -> None:
    assert upload(client, 2).status_code == 200
    assert_problem(upload(client, 1, mm_per_px="0.25"), 409, "0.25", "0.5")
    assert_problem(fit(client, mm_per_px="0.25"), 409, "0.25", "0.5")
    assert_problem(upload(client, 2, label="ng", metas=['{"mm_per_px":0.5}', '{"mm_per_px":0.4}']), 409, "0.4")
    listed = client.get("/datasets/list", params=ROI).json()
    assert (listed["classes"]["ok"]["count"], listed["classes"]["ng"]["count"]) == (2, 0)


@pytest.mark.parametrize("kind", BAD_SHAPES)
def test_a_shape_that_cannot_be_one_is_refused_everywhere(taught: TestClient, kind: str) -> None:
    shape = BAD_SHAPES[kind]
    assert_problem(fit(taught, shape=shape), 422, "shape")
    assert_problem(infer(taught, shape=shape), 422, "shape")
    assert_problem(taught.post("/scores", data={**FORM, "shape": shape}, files=good_pictures(1)), 422, "shape")
    meta = json.dumps({"shape": shape})
    assert_problem(upload(taught, 1, metas=[meta]), 422, "shape")


def test_without_a_shape_the_taught_one_holds_for_pictures_of_that_size(taught: TestClient) -> None:
    with_shape, without = infer(taught), infer(taught, shape="")
    assert without.json()["score"] == with_shape.json()["score"]
    assert_problem(infer(taught, encoded(Image.new("RGB", (200, SIZE)), "PNG"), shape=""), 422, "shape", "200x256")


MISSING: list[tuple[str, str, dict[str, Any], str]] = [
    (path, "post", {name: value for name, value in FORM.items() if name != field}, field)
    for path in ("/infer", "/fit_ok", "/scores")
    for field in ("role_id", "roi_id", "mm_per_px")
]


@pytest.mark.parametrize(("path", "method", "form", "field"), MISSING)
def test_a_missing_form_field_is_named(
    client: TestClient, path: str, method: str, form: dict[str, Any], field: str
) -> None:
    name = "image" if path == "/infer" else "images"
    assert_problem(client.request(method, path, data=form, files=[(name, ("a.png", disc(1)))]), 422, field, "required")


def test_missing_pictures_are_named(client: TestClient) -> None:
    assert_problem(client.post("/infer", data=FORM), 422, "image: ")
    assert_problem(client.post("/scores", data=FORM), 422, "images: ")
    assert_problem(client.post("/datasets/ng/upload", data=FORM), 422, "images: ")
    assert_problem(client.post("/fit_ok", data=FORM), 422, "images: ", "use_dataset")
    both = client.post("/fit_ok", data={**FORM, "use_dataset": "true"}, files=good_pictures(1))
    assert_problem(both, 422, "images: ", "use_dataset")
    assert_problem(client.post("/fit_ok", data={**FORM, "use_dataset": "true"}), 422, "no OK samples")
    text = client.post("/infer", data={**FORM, "image": "this is a text, not a file"})
    assert_problem(text, 422, "image: ")


@pytest.mark.parametrize("field", ["role_id", "roi_id", "mm_per_px"])
def test_a_missing_json_field_is_named(client: TestClient, field: str) -> None:
    asked = {name: value for name, value in {**ROI, "mm_per_px": SCALE}.items() if name != field}
    assert_problem(client.post("/calibrate_ng", json=asked), 422, field, "required")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{'a':1}"])
def test_what_is_no_json_object_is_refused(client: TestClient, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    for path in ("/calibrate_ng", "/models/activate", "/models/rollback", "/infer_dataset", "/calibrate_dataset"):
        answer = client.post(path, content=body, headers=kind)
        assert_problem(answer, answer.status_code)
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("area_mm2_thr", -1), ("area_mm2_thr", float("nan")), ("area_mm2_thr", "big"), ("score_percentile", 49),
        ("score_percentile", 101), ("model_version", 0), ("model_version", 1.5), ("ok_scores", [1, -1, 2]),
        ("ok_scores", [1, float("inf"), 2]), ("ok_scores", "1,2,3"), ("ng_scores", [float("nan")]),
    ],
)  # fmt: skip
def test_calibration_fields_out_of_bounds_are_named(taught: TestClient, field: str, value: object) -> None:
    text = json.dumps({**ROI, "mm_per_px": SCALE, field: value})
    answer = taught.post("/calibrate_ng", content=text, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, field)


@pytest.mark.parametrize(
    "meta", ["[]", "7", "{", '{"a":NaN}', '{"a":Infinity}', '{"mm_per_px":0}', '{"mm_per_px":"wide"}', '{"shape":7}']
)
def test_metas_that_cannot_be_kept_are_named(client: TestClient, meta: str) -> None:
    assert_problem(upload(client, 2, metas=["{}", meta]), 422)
    assert client.get("/datasets/list", params=ROI).json()["classes"]["ok"]["count"] == 0


def test_metas_that_do_not_match_the_pictures_are_refused(client: TestClient) -> None:
    assert_problem(upload(client, 3, metas=["{}", "{}"]), 422, "metas: 2 given for 3 images")


def test_an_empty_optional_field_is_as_if_it_were_left_out(taught: TestClient) -> None:
    answer = infer(taught, part_id="", shape="null", model_key="what an older GUI sends")
    assert answer.status_code == 200
    assert answer.json()["part_id"] is None


def test_a_part_id_that_nobody_could_search_for_is_refused(taught: TestClient) -> None:
    assert_problem(infer(taught, part_id="a\x1db"), 422, "part_id")
    assert_problem(infer(taught, part_id="x" * 129), 422, "part_id")
