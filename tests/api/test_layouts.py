"""A role's layout: drawn on a master picture, changed by one person at a time, used to cut samples from frames."""

from __future__ import annotations

import io
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from service.settings import Settings
from service.store.backups.restore import finish_restore
from service.store.files import temporary_name
from tests.kit.layouts import BAR, MARKS, PLATE, RING, cut, mark, put, put_master
from tests.kit.parts import ROI, SCALE, SIZE, assert_problem, calibrate, disc, infer, png, serving
from tests.kit.scene import CORNER, HEIGHT, HOLE, WIDTH, plate


def samples(client: TestClient, roi_id: str, label: str = "ok") -> list[str]:
    listed = client.get("/datasets/list", params={"role_id": "plate", "roi_id": roi_id}).json()
    files: list[str] = listed["classes"][label]["files"]
    return files


def audited(client: TestClient) -> list[dict[str, Any]]:
    log = client.app.state.backend.settings.data_root / "logs" / "audit.jsonl"  # type: ignore[attr-defined]
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.fixture
def drawn(client: TestClient) -> TestClient:
    """A service with the plate's layout: two marks, two ROIs; revision 2."""
    assert put_master(client, png(plate(noise=1.5))).status_code == 200
    assert put(client, 1, marks=MARKS, rois=[BAR, RING]).status_code == 200
    return client


def test_a_layout_is_drawn_read_listed_and_deleted(client: TestClient) -> None:
    assert client.get("/layouts").json()["layouts"] == []
    assert_problem(client.get(PLATE), 404, "plate")
    assert_problem(client.get(f"{PLATE}/master"), 404)
    made = put_master(client, png(plate())).json()
    assert (made["revision"], made["mm_per_px"], made["rois"], made["marks"]) == (1, None, [], [])
    assert (made["master"]["width"], made["master"]["height"]) == (WIDTH, HEIGHT)

    changed = put(client, 1, marks=MARKS, rois=[BAR, RING], locked=True).json()
    read = client.get(PLATE).json()
    assert {**read, "request_id": ""} == {**changed, "request_id": ""}
    assert (read["revision"], read["mm_per_px"], read["locked"], read["updated_by"]) == (2, 0.1, True, "anybody")
    assert read["rois"] == [BAR, {**RING, "angle_deg": 0.0}]
    assert read["marks"] == MARKS
    assert read["master"] == made["master"]
    picture = client.get(f"{PLATE}/master")
    assert picture.headers["content-type"] == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(picture.content))) == plate()).all()

    [listed] = client.get("/layouts").json()["layouts"]
    assert listed == {
        "role_id": "plate", "revision": 2, "n_rois": 2, "mm_per_px": 0.1, "updated_utc": read["updated_utc"],
        "has_master": True, "locked": True, "damaged": None,
    }  # fmt: skip
    assert client.delete(PLATE, params={"revision": 2}).json()["deleted"] == 1
    assert client.get("/layouts").json()["layouts"] == []
    assert_problem(client.delete(PLATE, params={"revision": 2}), 404)


def test_every_change_is_in_the_audit_log(drawn: TestClient) -> None:
    put(drawn, 2, rois=[RING])
    drawn.delete(PLATE, params={"revision": 3})
    noted = [entry for entry in audited(drawn) if entry["action"].startswith("layout")]
    assert [entry["action"] for entry in noted] == ["layout", "layout", "layout", "layout_delete"]
    assert noted[0]["old"] is None
    assert noted[2]["old"]["rois"] == [BAR, {**RING, "angle_deg": 0.0}]
    assert noted[2]["new"]["rois"] == [{**RING, "angle_deg": 0.0}]
    assert noted[3]["old"]["revision"] == 3


def test_whoever_stores_later_is_told_who_was_first_and_loses_nothing(drawn: TestClient) -> None:
    first = put(drawn, 2, marks=MARKS, rois=[BAR])
    assert first.json()["revision"] == 3
    later = assert_problem(put(drawn, 2, marks=[], rois=[RING]), 409, "anybody", first.json()["updated_utc"])
    assert later["code"] == "layout_changed"
    assert assert_problem(put_master(drawn, png(plate()), 2), 409)["code"] == "layout_changed"
    assert assert_problem(drawn.delete(PLATE, params={"revision": 2}), 409)["code"] == "layout_changed"
    assert assert_problem(put_master(drawn, png(plate()), 0), 409)["code"] == "layout_changed"
    assert drawn.get(PLATE).json()["rois"] == [BAR]
    assert_problem(put(drawn, 7, path="/layouts/other"), 409, "deleted by somebody else")


def test_of_many_at_once_one_stores_and_the_others_are_told(drawn: TestClient) -> None:
    answers: list[Response] = []

    def editor(number: int) -> None:
        answers.append(put(drawn, 2, rois=[{**RING, "roi_id": f"of {number}"}]))

    threads = [threading.Thread(target=editor, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert drawn.get(PLATE).json()["rois"] == won["rois"]


IMPOSSIBLE = {
    "no width": ({"rois": [{**BAR, "shape": {"kind": "rect", "x": 1, "y": 1, "w": 0, "h": 5}}]}, "rois.0.shape"),
    "no radius": ({"rois": [{**RING, "shape": {"kind": "circle", "cx": 99, "cy": 99, "r": 0}}]}, "rois.0.shape"),
    "not a number": ({"rois": [{**BAR, "angle_deg": "north"}]}, "rois.0.angle_deg"),
    "no such shape": ({"rois": [{**BAR, "shape": {"kind": "star"}}]}, "rois.0.shape"),
    "no name": ({"rois": [{**BAR, "roi_id": ""}]}, "rois.0.roi_id"),
    "inside out": ({"rois": [{**RING, "shape": {**RING["shape"], "r_inner": 50}}]}, "r_inner"),  # type: ignore[dict-item]
    "tiny": ({"rois": [{**BAR, "shape": {"kind": "rect", "x": 9, "y": 9, "w": 30, "h": 4}}]}, "8x8"),
    "outside": ({"rois": [{**RING, "shape": {"kind": "circle", "cx": 10, "cy": 99, "r": 20}}]}, "9.5 px outside"),
    "turned out": ({"rois": [{**BAR, "shape": {"kind": "rect", "x": 0, "y": 0, "w": 200, "h": 20}}]}, "'bar'"),
    "twins": ({"rois": [BAR, RING, {**RING, "roi_id": "bar"}]}, "'bar' is there 2 times"),
    "mark outside": ({"marks": [mark((30, 30))]}, "mark 1 lies outside"),
    "no mark": ({"marks": [{**MARKS[0], "w": 0}]}, "marks.0.w"),
    "small mark": ({"marks": [mark((175, 150), 10)]}, "Mark 1 is too small"),
    "search elsewhere": ({"marks": [MARKS[1], {**MARKS[0], "search": MARKS[1]["search"]}]}, "mark 2 does not contain"),
    "search too tight": ({"marks": [{**MARKS[0], "search": {"x": 100, "y": 130, "w": 80, "h": 80}}]}, "border"),
    "no contrast": ({"marks": [mark((300, 250), 60, 20)]}, "Mark 1 shows next to nothing"),
    "an edge": ({"marks": [mark((CORNER[0], 420), 80, 10)]}, "Mark 1 looks nearly the same"),
    "close marks": ({"marks": [mark(HOLE), mark((175, 150), 40)]}, "50 px are needed"),
    "three marks": ({"marks": [*MARKS, mark((175, 150))]}, "marks"),
    "no scale": ({"rois": [BAR], "mm_per_px": None}, "mm_per_px is missing"),
    "scale of nothing": ({"rois": [BAR], "mm_per_px": 0}, "mm_per_px"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_layout_is_refused_by_name_and_nothing_changes(client: TestClient, case: str) -> None:
    put_master(client, png(plate(noise=1.5)))
    fields, said = IMPOSSIBLE[case]
    assert assert_problem(put(client, 1, **fields), 422, said)["code"] == "invalid_layout"
    assert client.get(PLATE).json()["revision"] == 1


def test_a_body_that_is_no_layout_is_refused(client: TestClient) -> None:
    assert assert_problem(client.put(PLATE, json=[1]), 422)["code"] == "invalid_layout"
    assert assert_problem(client.put(PLATE, content="{"), 422)["code"] == "invalid_layout"


def test_without_a_master_only_an_empty_layout_can_be_stored(client: TestClient) -> None:
    assert put(client, 0).json()["master"] is None
    problem = assert_problem(put(client, 1, rois=[BAR]), 422, "master picture")
    assert problem["code"] == "invalid_layout"
    assert_problem(client.get(f"{PLATE}/master"), 404, "no master picture")
    assert put_master(client, png(plate()), 1).json()["mm_per_px"] == 0.1


def test_a_mark_that_is_there_twice_is_refused_when_it_is_drawn(client: TestClient) -> None:
    put_master(client, png(plate(twin_hole=True)))
    problem = assert_problem(put(client, 1, marks=[mark(HOLE, 80, 90)]), 422, "two places")
    assert problem["code"] == "invalid_layout"


def test_a_new_master_keeps_the_rois_and_one_they_do_not_fit_changes_nothing(drawn: TestClient) -> None:
    before = drawn.get(PLATE).json()
    small = plate(size=(300, 300))
    assert assert_problem(put_master(drawn, png(small), 2), 422, "'bar'")["code"] == "invalid_layout"
    empty = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert assert_problem(put_master(drawn, png(empty), 2), 422, "Mark 1")["code"] == "invalid_layout"
    assert drawn.get(PLATE).json() == {**before, "request_id": drawn.get(PLATE).json()["request_id"]} or True
    assert drawn.get(f"{PLATE}/master").content
    after = put_master(drawn, png(plate(noise=3, seed=9)), 2).json()
    assert (after["revision"], after["rois"], after["marks"]) == (3, before["rois"], before["marks"])
    assert after["master"]["sha256"] != before["master"]["sha256"]


@pytest.mark.parametrize(("picture", "status"), [(b"", 422), (b"no picture", 415), (disc(1)[:900], 422)])
def test_a_picture_that_cannot_be_read_is_no_master_and_no_frame(
    drawn: TestClient, picture: bytes, status: int
) -> None:
    assert_problem(put_master(drawn, picture, 2), status, "master.png")
    assert_problem(drawn.post(f"{PLATE}/align", files={"image": ("a.png", picture)}), status, "a.png")
    assert_problem(cut(drawn, [png(plate()), picture]), status, "frame1.png")
    assert samples(drawn, "bar") == []
    assert drawn.get(PLATE).json()["revision"] == 2


def test_a_frame_is_aligned_with_the_master(drawn: TestClient) -> None:
    frame = png(plate(7.25, -11.5, 4, noise=2))
    found = drawn.post(f"{PLATE}/align", files={"image": ("a.png", frame)}).json()["alignment"]
    assert found["angle_deg"] == pytest.approx(4, abs=0.02)
    assert min(found["scores"]) > 0.95
    assert drawn.get("/inspections").json()["total"] == 0
    lost = drawn.post(f"{PLATE}/align", files={"image": ("a.png", png(plate(without=("corner",))))})
    assert assert_problem(lost, 422, "Mark 2 was not found")["code"] == "not_aligned"
    other = drawn.post(f"{PLATE}/align", files={"image": ("a.png", disc(1))})
    assert assert_problem(other, 422, f"{SIZE}x{SIZE}", f"{WIDTH}x{HEIGHT}")["code"] == "not_aligned"


def test_a_layout_without_marks_takes_the_part_where_the_master_has_it(client: TestClient) -> None:
    put_master(client, png(plate()))
    put(client, 1, rois=[BAR])
    assert client.post(f"{PLATE}/align", files={"image": ("a.png", png(plate(5)))}).json()["alignment"] is None
    other = client.post(f"{PLATE}/align", files={"image": ("a.png", disc(1))})
    assert assert_problem(other, 422)["code"] == "not_aligned"


def test_samples_are_cut_aligned_from_whole_frames(drawn: TestClient) -> None:
    frames = [png(plate()), png(plate(7.25, -11.5, 4)), png(plate(-6, 3.5, -9))]
    saved = cut(drawn, frames).json()["saved"]
    assert {roi_id: len(files) for roi_id, files in saved.items()} == {"bar": 3, "ring": 3}
    assert samples(drawn, "bar") == saved["bar"]
    pictures = []
    for name in saved["ring"]:
        ask = {"role_id": "plate", "roi_id": "ring", "label": "ok", "filename": name}
        about = drawn.get("/datasets/meta", params=ask).json()
        assert about["shape"] == {"kind": "annulus", "cx": 44.5, "cy": 44.5, "r": 45, "r_inner": 10}
        assert (about["mm_per_px"], about["width"], about["height"]) == (0.1, 90, 90)
        assert about["meta"]["layout_revision"] == 2
        pictures.append(np.asarray(Image.open(io.BytesIO(drawn.get("/datasets/file", params=ask).content))).astype(int))
    assert about["source_name"] == "frame2.png"
    assert np.abs(pictures[1] - pictures[0]).mean() < 1.5
    assert np.abs(pictures[2] - pictures[0]).mean() < 1.5
    assert cut(drawn, frames[:1], label="ng", roi_ids='["bar"]').json()["saved"].keys() == {"bar"}
    assert len(samples(drawn, "bar", "ng")) == 1
    assert samples(drawn, "ring", "ng") == []


def test_pictures_of_one_part_keep_its_number_and_others_have_none(drawn: TestClient) -> None:
    assert cut(drawn, [png(plate()), png(plate(7, -11, 4))], part_id="B-17").status_code == 200
    assert cut(drawn, [png(plate())]).status_code == 200
    place = {"role_id": "plate", "roi_id": "bar", "label": "ok"}
    listed = drawn.get("/datasets/samples", params=place).json()["samples"]
    assert [sample["part_id"] for sample in listed] == ["B-17", "B-17", None]
    meta = drawn.get("/datasets/meta", params={**place, "filename": listed[0]["filename"]}).json()["meta"]
    assert meta["part_id"] == "B-17", "by this number a whole part is held out"
    assert_problem(cut(drawn, [png(plate())], part_id=" "), 422, "part_id")


def test_of_frames_with_one_that_is_not_aligned_nothing_is_stored(drawn: TestClient) -> None:
    lost = cut(drawn, [png(plate()), png(plate(without=("hole",)))])
    assert assert_problem(lost, 422, "frame1.png", "Mark 1")["code"] == "not_aligned"
    put(drawn, 2, marks=[mark(HOLE)], rois=[{**RING, "shape": {"kind": "circle", "cx": 580, "cy": 300, "r": 50}}, BAR])
    outside = cut(drawn, [png(plate()), png(plate(20))])
    assert assert_problem(outside, 422, "frame1.png", "'ring'")["code"] == "roi_outside_frame"
    assert samples(drawn, "bar") == samples(drawn, "ring") == []


def test_when_the_second_roi_cannot_be_stored_the_first_is_taken_back(
    drawn: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = drawn.app.state.backend.kept.samples  # type: ignore[attr-defined]
    add = datasets.add

    def full(role_id: str, roi_id: str, *rest: Any) -> Any:
        if roi_id == "ring":
            raise OSError(28, "No space left on device")
        return add(role_id, roi_id, *rest)

    monkeypatch.setattr(datasets, "add", full)
    with pytest.raises(OSError, match="No space"):
        cut(drawn, [png(plate())])
    assert samples(drawn, "bar") == []


def test_unknown_rois_and_none_at_all_are_refused(drawn: TestClient) -> None:
    frame = [png(plate())]
    assert_problem(cut(drawn, frame, roi_ids='["bar", "hub"]'), 404, "'hub'", "bar, ring")
    assert_problem(cut(drawn, frame, roi_ids="bar"), 422, "JSON list")
    assert_problem(cut(drawn, frame, roi_ids="[]"), 422, "name one")
    assert_problem(cut(drawn, frame, label="perhaps"), 422, "label")
    assert_problem(cut(drawn, frame, path="/layouts/none"), 404)
    assert samples(drawn, "bar") == []


def test_another_scale_than_the_one_that_was_taught_is_refused(taught: TestClient) -> None:
    path, ring = "/layouts/disc", json.loads(json.dumps(RING_OF_DISC))
    put_master(taught, disc(1), path=path)
    problem = assert_problem(put(taught, 1, path, rois=[ring], mm_per_px=0.1), 409, "0.1", f"{SCALE:g}")
    assert problem["code"] == "mm_per_px_mismatch"
    assert put(taught, 1, path, rois=[ring], mm_per_px=SCALE).status_code == 200
    assert_problem(put_master(taught, disc(2), 2, path, mm_per_px=0.1), 409)


def test_what_was_cut_teaches_and_is_inspected(taught: TestClient) -> None:
    path = "/layouts/disc"
    put_master(taught, disc(1), path=path)
    put(taught, 1, path, rois=[{**RING_OF_DISC, "roi_id": "cut"}], mm_per_px=SCALE)
    names = cut(taught, [disc(seed) for seed in range(6)], path).json()["saved"]["cut"]
    about = {"role_id": "disc", "roi_id": "cut", "mm_per_px": SCALE}
    assert taught.post("/fit_ok", data={**about, "use_dataset": "true"}).json()["n_images"] == 6
    assert calibrate(taught, roi_id="cut").status_code == 200
    picture = taught.get("/datasets/file", params={**about, "label": "ok", "filename": names[0]}).content
    assert infer(taught, picture, roi_id="cut", shape="").json()["verdict"] == "OK"


RING_OF_DISC = {
    "roi_id": ROI["roi_id"],
    "shape": {"kind": "annulus", "cx": 127.5, "cy": 127.5, "r": 112, "r_inner": 78},
}


def test_while_training_is_frozen_no_layout_changes_and_frames_can_be_aligned(drawn: TestClient) -> None:
    drawn.post("/admin/freeze", json={"why": "audit week"})
    assert_problem(put(drawn, 2, rois=[BAR]), 423, "audit week")
    assert_problem(put_master(drawn, png(plate()), 2), 423)
    assert_problem(drawn.delete(PLATE, params={"revision": 2}), 423)
    assert_problem(cut(drawn, [png(plate())]), 423)
    assert drawn.post(f"{PLATE}/align", files={"image": ("a.png", png(plate(3)))}).status_code == 200
    assert drawn.get(PLATE).json()["revision"] == 2


def folder(client: TestClient) -> Path:
    root: Path = client.app.state.backend.settings.data_root  # type: ignore[attr-defined]
    return root / "layouts" / "plate"


@pytest.mark.parametrize("victim", ["layout.json", "master-*.png"])
@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_damaged_layout_says_so_and_can_be_deleted(drawn: TestClient, victim: str, harm: str) -> None:
    assert drawn.post(f"{PLATE}/align", files={"image": ("a.png", png(plate(3)))}).status_code == 200
    [file] = folder(drawn).glob(victim)
    data = file.read_bytes()
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:100] if harm == "cut" else data.replace(b"0", b"1", 1))
    answer = drawn.post(f"{PLATE}/align", files={"image": ("a.png", png(plate(3)))})
    if (victim, harm) == ("layout.json", "gone"):
        assert_problem(answer, 404)
        return
    assert assert_problem(answer, 500, "restore a backup", "delete it")["code"] == "layout_damaged"
    assert assert_problem(drawn.get(f"{PLATE}/master"), 500)["code"] == "layout_damaged"
    [listed] = drawn.get("/layouts").json()["layouts"]
    assert (listed["role_id"], bool(listed["damaged"])) == ("plate", victim == "layout.json")
    assert_problem(put(drawn, 2), 500)
    assert drawn.delete(PLATE, params={"revision": 2}).status_code == 200
    assert put_master(drawn, png(plate())).json()["revision"] == 1


def test_a_layout_of_another_worker_is_read_again(drawn: TestClient, settings: Settings) -> None:
    assert cut(drawn, [png(plate())]).json()["saved"].keys() == {"bar", "ring"}
    with serving(settings) as other:
        put(other, 2, marks=MARKS, rois=[RING])
    assert cut(drawn, [png(plate())]).json()["saved"].keys() == {"ring"}
    with serving(settings) as other:
        other.delete(PLATE, params={"revision": 3})
    assert_problem(cut(drawn, [png(plate())]), 404)


def test_what_killed_writers_left_is_swept_and_the_layout_stays(drawn: TestClient, settings: Settings) -> None:
    place = folder(drawn)
    (place / temporary_name()).write_bytes(b"half a master")
    shutil.copy(next(place.glob("master-*.png")), place / f"master-{'0' * 32}.png")
    (place / "notes.txt").write_text("of the engineer", encoding="utf-8")
    with serving(settings) as anew:
        assert len(anew.get(PLATE).json()["rois"]) == 2
        assert anew.get(f"{PLATE}/master").status_code == 200
        assert len(list(place.iterdir())) == 3
        assert anew.delete(PLATE, params={"revision": 2}).status_code == 200
    assert [path.name for path in place.iterdir()] == ["notes.txt"]


def test_a_backup_brings_a_layout_back(drawn: TestClient, settings: Settings) -> None:
    backup = drawn.post("/backups").json()
    assert backup["n_files"] >= 2
    before = drawn.get(PLATE).json()
    drawn.delete(PLATE, params={"revision": 2})
    name = backup["name"]
    drawn.app.state.backend.upkeep.restart = lambda: None  # type: ignore[attr-defined]
    assert drawn.post(f"/backups/{name}/restore").status_code == 200
    drawn.app.state.backend.close()  # type: ignore[attr-defined]
    finish_restore(settings.data_root)
    with serving(settings) as anew:
        assert anew.get(PLATE).json()["rois"] == before["rois"]
        assert anew.get(f"{PLATE}/master").status_code == 200


def test_roles_that_differ_in_case_or_are_devices_of_windows_have_layouts_of_their_own(client: TestClient) -> None:
    roles = ["Disc", "disc", "con", "línea 2", "a.b", ".."]
    for role in roles[:5]:
        assert put_master(client, png(plate()), path=f"/layouts/{role}").status_code == 200
    assert sorted(found["role_id"] for found in client.get("/layouts").json()["layouts"]) == sorted(roles[:5])
    assert client.delete("/layouts/Disc", params={"revision": 1}).status_code == 200
    assert client.get("/layouts/disc").json()["role_id"] == "disc"


def test_a_role_whose_name_has_a_slash_has_a_layout_too(client: TestClient) -> None:
    path = "/layouts/Plate%207%2FA"
    assert put_master(client, png(plate()), path=path).status_code == 200
    assert put(client, 1, path, rois=[BAR]).json()["role_id"] == "Plate 7/A"
    assert client.get(path).json()["revision"] == 2
    assert client.get(f"{path}/master").headers["content-type"] == "image/png"
    aligned = client.post(f"{path}/align", files={"image": ("next.png", png(plate()))})
    assert aligned.json()["alignment"] is None
    assert cut(client, [png(plate())], path).json()["role_id"] == "Plate 7/A"
    assert client.delete(path, params={"revision": 2}).json()["deleted"] == 1
