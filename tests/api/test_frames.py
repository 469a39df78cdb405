"""A whole frame in, one verdict out: aligned, every ROI judged, drawn in the frame, recorded; an error is no OK."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from service.contract.shapes import parse_shape
from service.engine.protocol import Recipe
from service.settings import Settings
from service.store.backups.restore import finish_restore, stage
from service.store.records.database import SCHEMA, open_database
from tests.conftest import settings_for
from tests.kit.layouts import BAR, MARKS, RING, put, put_master
from tests.kit.parts import assert_problem, png, serving, wait_until
from tests.kit.scene import HEIGHT, WIDTH, motion, plate
from tests.kit.twin import TwinEngine

PLACES = [(0, 0, 0), (6, -4, 2), (-9, 7, -3), (12, 3, 1), (-5, -11, -1.5), (3, 9, 4), (-12, 2, -4), (8, -8, 0.5)]
# On the ring, and where that lies when the plate is moved.
BLOT = np.array([139.5 + 28, 169.5])
MOVED = (12, -8, 4)


def frame(dx: float = 0, dy: float = 0, angle_deg: float = 0, *, seed: int = 0, blot: bool = False) -> bytes:
    image = plate(dx, dy, angle_deg, noise=1.5, seed=seed)
    if blot:
        x, y = there(motion(dx, dy, angle_deg))
        cv2.circle(image, (round(x), round(y)), 9, (255, 0, 0), -1)
    return png(image)


def there(matrix: np.ndarray) -> tuple[float, float]:
    x, y = matrix[:, :2] @ BLOT + matrix[:, 2]
    return float(x), float(y)


def inspect(client: TestClient, image: bytes, role_id: str = "plate", **form: Any) -> Response:
    return client.post("/inspect", data={"role_id": role_id, **form}, files={"image": ("part.png", image)})


def teach(client: TestClient, roi_id: str, *, calibrated: bool = True) -> None:
    place = {"role_id": "plate", "roi_id": roi_id}
    assert client.post("/fit_ok", data={**place, "mm_per_px": 0.1, "use_dataset": True}).status_code == 200
    if calibrated:
        # between the scores of noise, 0.02 at most, and that of the blot, 22
        asked = {**place, "mm_per_px": 0.1, "threshold": 1.0}
        assert client.post("/calibrate_ng", json=asked).status_code == 200


@pytest.fixture(scope="module")
def plate_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plate's layout with two marks, a ring and a turned bar, both taught and calibrated. Copy it."""
    data_root = tmp_path_factory.mktemp("plate") / "data"
    with serving(settings_for(data_root)) as client:
        assert put_master(client, png(plate(noise=1.5))).status_code == 200
        assert put(client, 1, marks=MARKS, rois=[BAR, RING]).status_code == 200
        files = [("images", (f"{seed}.png", frame(*place, seed=seed))) for seed, place in enumerate(PLACES)]
        assert client.post("/layouts/plate/samples", data={"label": "ok"}, files=files).status_code == 200
        for roi_id in ("ring", "bar"):
            teach(client, roi_id)
    return data_root


@pytest.fixture
def line(plate_root: Path, settings: Settings) -> Iterator[TestClient]:
    shutil.copytree(plate_root, settings.data_root)
    with serving(settings_for(settings.data_root, BACKEND_ARCHIVE_OK_EVERY=1)) as client:
        yield client


def roi_of(answer: dict[str, Any], roi_id: str) -> dict[str, Any]:
    [found] = [roi for roi in answer["rois"] if roi["roi_id"] == roi_id]
    return dict(found)


def kept(client: TestClient, path: str) -> bytes:
    wait_until(lambda: client.get(path).status_code == 200)
    return client.get(path).content


def test_a_good_part_is_ok_wherever_it_lies(line: TestClient) -> None:
    for place in ((0, 0, 0), MOVED, (-10, 6, -3)):
        answer = inspect(line, frame(*place, seed=99), part_id="P-1").json()
        assert (answer["verdict"], answer["part_id"], answer["layout_revision"]) == ("OK", "P-1", 2)
        assert [(roi["roi_id"], roi["verdict"], roi["regions"]) for roi in answer["rois"]] == [
            ("bar", "OK", []), ("ring", "OK", []),
        ]  # fmt: skip
        assert answer["alignment"]["angle_deg"] == pytest.approx(place[2], abs=0.1)


def test_a_defect_makes_the_part_ng_and_is_told_where_it_lies_in_the_frame(line: TestClient) -> None:
    answer = inspect(line, frame(*MOVED, seed=99, blot=True)).json()
    assert (answer["verdict"], answer["width"], answer["height"], answer["mm_per_px"]) == ("NG", WIDTH, HEIGHT, 0.1)
    bar, ring = roi_of(answer, "bar"), roi_of(answer, "ring")
    assert (bar["verdict"], ring["verdict"]) == ("OK", "NG")
    assert ring["score"] >= ring["threshold"]
    assert bar["score"] < bar["threshold"]
    region = max(ring["regions"], key=lambda one: one["score"])
    assert np.hypot(*(np.array(region["centre_frame"]) - there(motion(*MOVED)))) < 6
    inside = cv2.pointPolygonTest(np.array(region["contour_frame"], np.float32), there(motion(*MOVED)), False)
    assert inside > 0
    # both edges of the ring, around its middle in the frame
    middle = motion(*MOVED)[:, :2] @ [139.5, 169.5] + motion(*MOVED)[:, 2]
    for edge, radius in ((ring["outline"], 45), (ring["inner_outline"], 10)):
        assert np.hypot(*(np.array(edge) - middle).T) == pytest.approx(radius, abs=0.3)
    heat = Image.open(io.BytesIO(base64.b64decode(ring["heatmap_png_base64"])))
    assert heat.size == (90, 90)
    assert set(answer["timings_ms"]) >= {"decode", "align", "cut", "embed", "judge", "record", "total"}


def test_without_heat_maps_none_are_drawn(line: TestClient) -> None:
    answer = inspect(line, frame(seed=5), heatmap=False).json()
    assert [roi["heatmap_png_base64"] for roi in answer["rois"]] == [None, None]


def test_a_roi_is_judged_as_infer_judges_its_picture(line: TestClient) -> None:
    answer = inspect(line, frame(*MOVED, seed=99, blot=True)).json()
    for roi in answer["rois"]:
        picture = kept(line, f"/inspections/{roi['inspection_id']}/image")
        shape = parse_shape(str(roi["shape"]).replace("'", '"'))
        assert shape is not None
        form = {"role_id": "plate", "roi_id": roi["roi_id"], "mm_per_px": 0.1, "shape": shape.model_dump_json()}
        alone = line.post("/infer", data=form, files={"image": ("roi.png", picture)}).json()
        assert (alone["score"], alone["verdict"]) == (roi["score"], roi["verdict"])
        assert [region["contour"] for region in alone["regions"]] == [region["contour"] for region in roi["regions"]]


def test_what_was_judged_is_in_the_record_whole(line: TestClient) -> None:
    image = frame(*MOVED, seed=99, blot=True)
    answer = inspect(line, image, part_id="P-7").json()
    frame_id = answer["frame_id"]
    shown = line.get(f"/frames/{frame_id}").json()
    assert {name: shown[name] for name in ("verdict", "part_id", "n_rois", "n_ng", "layout_revision", "width")} == {
        "verdict": "NG", "part_id": "P-7", "n_rois": 2, "n_ng": 1, "layout_revision": 2, "width": WIDTH,
    }  # fmt: skip
    assert shown["image_sha256"] == hashlib.sha256(image).hexdigest()
    assert shown["alignment"] == answer["alignment"]
    assert [roi["roi_id"] for roi in shown["rois"]] == ["bar", "ring"]
    assert kept(line, f"/frames/{frame_id}/image") == image
    small = Image.open(io.BytesIO(line.get(f"/frames/{frame_id}/thumbnail", params={"side": 64}).content))
    assert small.size == (64, 48)

    ring = line.get(f"/inspections/{roi_of(answer, 'ring')['inspection_id']}").json()
    assert (ring["frame_id"], ring["verdict"], ring["mm_per_px"], ring["part_id"]) == (frame_id, "NG", 0.1, "P-7")
    assert ring["regions"] == [
        {name: value for name, value in region.items() if name not in ("contour_frame", "centre_frame")}
        for region in roi_of(answer, "ring")["regions"]
    ]
    cut = Image.open(io.BytesIO(line.get(f"/inspections/{ring['inspection_id']}/image").content))
    assert cut.size == (90, 90)
    assert kept(line, f"/inspections/{ring['inspection_id']}/heatmap").startswith(b"\x89PNG")
    assert line.get(f"/inspections/{ring['inspection_id']}/thumbnail").status_code == 200
    assert line.get("/inspections", params={"part_id": "P-7"}).json()["total"] == 2
    assert f",{frame_id},True\r\n" in line.get("/inspections", params={"format": "csv"}).text


def test_a_judged_roi_becomes_a_sample_as_it_was_seen(line: TestClient) -> None:
    answer = inspect(line, frame(*MOVED, seed=99, blot=True)).json()
    inspection_id = roi_of(answer, "ring")["inspection_id"]
    picture = kept(line, f"/inspections/{inspection_id}/image")
    body = {"role_id": "plate", "roi_id": "ring", "inspection_ids": [inspection_id]}
    [file] = line.post("/datasets/ng/from_inspections", json=body).json()["files"]
    place = {"role_id": "plate", "roi_id": "ring", "label": "ng", "filename": file}
    stored = Image.open(io.BytesIO(line.get("/datasets/file", params=place).content))
    assert (np.asarray(stored) == np.asarray(Image.open(io.BytesIO(picture)))).all()


def test_a_layout_without_marks_takes_the_part_as_it_lies(line: TestClient) -> None:
    assert put(line, 2, rois=[BAR, RING]).status_code == 200
    answer = inspect(line, frame(seed=99)).json()
    assert (answer["verdict"], answer["alignment"]) == ("OK", None)


def spoil(line: TestClient, fault: str) -> tuple[bytes, int, str, str]:
    """Makes the fault happen; the picture to send, and status, code and words of the answer."""
    rest = {"marks": MARKS, "rois": [BAR, RING]}
    if fault == "no layout":
        assert line.delete("/layouts/plate", params={"revision": 2}).status_code == 200
        return frame(), 404, "not_found", "plate"
    if fault == "no ROI":
        put(line, 2)
        return frame(), 400, "layout_empty", "draw one"
    if fault == "an ROI never taught":
        rest["rois"] = [*rest["rois"], {**RING, "roi_id": "hub"}]
        put(line, 2, **rest)
        return frame(), 400, "memory_not_fitted", "ROI 'hub'"
    if fault == "an ROI not calibrated":
        teach(line, "bar", calibrated=False)
        newest = {"role_id": "plate", "roi_id": "bar", "model_version": 2}
        assert line.post("/models/activate", json=newest).status_code == 200
        return frame(), 428, "not_calibrated", "ROI 'bar'"
    if fault == "no picture":
        return b"hello", 415, "image_type_not_read", "part.png"
    if fault == "a torn picture":
        return frame()[:5000], 422, "undecodable_image", "damaged"
    if fault == "another size":
        return png(plate(noise=1.5, size=(WIDTH // 2, HEIGHT))), 422, "not_aligned", "320x480"
    if fault == "no part":
        return png(plate(without=("hole", "corner"), noise=1.5)), 422, "not_aligned", "Mark 1"
    assert fault == "a part half out of sight"
    put(line, 2, rois=[{**RING, "shape": {**RING["shape"], "cx": 50, "cy": 50}}], marks=MARKS)
    return frame(-30, 0, 0), 422, "roi_outside_frame", "ring"


@pytest.mark.parametrize(
    "fault",
    [
        "no layout", "no ROI", "an ROI never taught", "an ROI not calibrated", "no picture", "a torn picture",
        "another size", "no part", "a part half out of sight",
    ],
)  # fmt: skip
def test_what_keeps_one_roi_from_being_judged_is_the_answer_and_stands_in_the_record(
    line: TestClient, fault: str
) -> None:
    image, status, code, words = spoil(line, fault)
    problem = assert_problem(inspect(line, image, part_id="P-9"), status, words)
    assert problem["code"] == code
    [row] = line.get("/frames", params={"verdict": "ERROR"}).json()["frames"]
    assert (row["verdict"], row["problem_code"], row["problem_detail"]) == (None, code, problem["detail"])
    assert (row["part_id"], row["n_rois"]) == ("P-9", 0)
    assert line.get("/inspections").json()["total"] == 0
    whole = line.get(f"/frames/{row['frame_id']}").json()
    assert whole["frame_request_id"] == problem["request_id"]
    readable = fault not in ("no layout", "no ROI", "no picture", "a torn picture")
    if readable:
        assert kept(line, f"/frames/{row['frame_id']}/image") == image
    else:
        assert_problem(line.get(f"/frames/{row['frame_id']}/image"), 404)


def test_what_is_to_be_sent_again_is_recorded_only_when_it_is(
    line: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = line.app.state.backend  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(backend.device.worker, "_queue_size", 0)
        problem = assert_problem(inspect(line, frame()), 503, "send this part again")
    assert problem["code"] == "queue_full"
    assert line.get("/frames").json()["total"] == 0
    assert inspect(line, frame()).json()["verdict"] == "OK"
    assert line.get("/frames").json()["total"] == 1


def test_the_record_has_the_frame_and_all_its_rois_or_nothing(line: TestClient) -> None:
    database = line.app.state.backend.kept.database  # type: ignore[attr-defined]
    with database.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_ring BEFORE INSERT ON inspections WHEN NEW.roi_id = 'ring' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    answer = inspect(line, frame())
    assert answer.status_code == 500
    assert "verdict" not in answer.json()
    assert line.get("/frames").json()["total"] == 0
    assert line.get("/inspections").json()["total"] == 0


def test_rois_of_one_size_share_a_forward_pass(line: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rings that one model's pictures fit: with the bar, of another size, two passes for three ROIs."""
    files = [("images", (f"{seed}.png", frame(seed=seed))) for seed in range(4)]
    put(line, 2, marks=MARKS, rois=[BAR, RING, {**RING, "roi_id": "twin", "angle_deg": 10}])
    form = {"label": "ok", "roi_ids": '["twin"]'}
    assert line.post("/layouts/plate/samples", data=form, files=files).status_code == 200
    teach(line, "twin")
    inspect(line, frame())
    passes: list[int] = []
    embed = TwinEngine.embed

    def counted(self: TwinEngine, recipe: Recipe, pictures: Sequence[np.ndarray]) -> np.ndarray:
        passes.append(len(pictures))
        return embed(self, recipe, pictures)

    monkeypatch.setattr(TwinEngine, "embed", counted)
    assert len(inspect(line, frame()).json()["rois"]) == 3
    assert sorted(passes) == [1, 2]


def test_frames_are_found_counted_and_paged(line: TestClient) -> None:
    before = line.get("/frames/summary").json()
    assert (before["n"], before["by_roi"], before["by_hour"]) == (0, [], [])
    for seed in range(3):
        inspect(line, frame(seed=seed), part_id=f"P-{seed}")
    for number in (1, 2):
        inspect(line, frame(blot=True), part_id=f"P-bad{number}")
    inspect(line, b"hello", part_id="P-torn")
    counted = line.get("/frames/summary", params={"role_id": "plate"}).json()
    assert [counted[name] for name in ("n", "n_ok", "n_ng", "n_error")] == [6, 3, 2, 1]
    assert counted["by_roi"] == [{"roi_id": "ring", "n": 5, "n_ng": 2}, {"roi_id": "bar", "n": 5, "n_ng": 0}]
    hours = counted["by_hour"]
    assert sum(hour["n"] for hour in hours) == 6
    assert hours[0]["start_utc"].endswith(":00:00+00:00")
    assert line.get("/frames/summary", params={"role_id": "other"}).json()["n"] == 0
    for verdict, parts in (("OK", ["P-2", "P-1", "P-0"]), ("NG", ["P-bad2", "P-bad1"]), ("ERROR", ["P-torn"])):
        page = line.get("/frames", params={"verdict": verdict}).json()
        assert [row["part_id"] for row in page["frames"]] == parts
    told = {row["part_id"]: row["provisional"] for row in line.get("/frames").json()["frames"]}
    assert told.pop("P-torn") is False, "nothing was judged"
    assert set(told.values()) == {True}, "eight good parts prove little"
    page = line.get("/frames", params={"limit": 2, "offset": 1}).json()
    assert (page["total"], [row["part_id"] for row in page["frames"]]) == (6, ["P-bad2", "P-bad1"])
    later = line.get("/frames", params={"since": "2999-01-01"}).json()
    assert later["total"] == 0
    assert_problem(line.get("/frames/none"), 404, "GET /frames")


def test_an_older_database_learns_of_frames_and_a_restore_keeps_those_since(plate_root: Path, tmp_path: Path) -> None:
    data_root = tmp_path / "data"
    shutil.copytree(plate_root, data_root)
    with closing(sqlite3.connect(data_root / "records.sqlite")) as database, database:
        database.execute("DROP TABLE frames")
        database.execute("DROP INDEX ix_inspections_frame_id")
        database.execute("ALTER TABLE inspections DROP COLUMN frame_id")
        database.execute("PRAGMA user_version=2")
    with serving(settings_for(data_root)) as client:
        migrated = sa.inspect(client.app.state.backend.kept.database)  # type: ignore[attr-defined]
        fresh = sa.inspect(open_database(tmp_path / "fresh.sqlite"))
        for table in ("frames", "inspections"):
            assert sorted(column["name"] for column in migrated.get_columns(table)) == sorted(
                column["name"] for column in fresh.get_columns(table)
            )
            assert sorted(str(index["name"]) for index in migrated.get_indexes(table)) == sorted(
                str(index["name"]) for index in fresh.get_indexes(table)
            )
        made = client.post("/backups").json()
        since = inspect(client, frame(), part_id="since").json()
    stage(data_root, data_root / "backups" / made["name"], 0, lambda *_: None)
    finish_restore(data_root)
    with serving(settings_for(data_root)) as client:
        shown = client.get(f"/frames/{since['frame_id']}").json()
        assert (shown["part_id"], len(shown["rois"])) == ("since", 2)
    assert SCHEMA == 3
