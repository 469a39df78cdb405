"""Roles and ROIs are named by people; their folders must never collide or leave the data root."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.contract.words import check_name
from service.store.names import folder_name
from tests.kit.parts import FORM, assert_problem, disc, good_pictures

STRANGE = [
    "../../etc/passwd", "..", ".", "a.", "a ", " a", "CON", "con", "Con", "com1", "COM1", "nul", "nul.txt", "aux",
    "disc", "Disc", "DISC", "DIsC", "disco/ring", "disco\\ring", "C:", "C:\\x", "a%2e", "%2e%2e", "a+b", "a=b", "=61",
    "+a", "A", "a", "pieza nº 7", "Bremsscheibe Größe", "刹车盘", "🛞", "a" * 128, "A" * 128, "a" * 127 + "b", "-", "_",
    "disc|ring", "disc:ring", "disc*", "disc?", '"disc"', "<disc>", "v0001", ".tmp-1", "e\u0301", "\u00e9",
    "ring\u0130",
]  # fmt: skip
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\..*)?", re.IGNORECASE)
printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=128).filter(
    lambda name: name.isprintable() and name.strip()
)


def survives_windows(folder: str) -> bool:
    plain = re.fullmatch(r"[a-z0-9_+=~-]{1,80}", folder)
    return bool(plain) and not RESERVED.fullmatch(folder)


@settings(max_examples=400, deadline=None)
@given(printable, printable)
@example("a", "A")
@example("A", "+a")
@example("=41", "A")
@example("con", "=63on")
@example("e\u0301", "\u00e9")
@example("A" * 127 + "x", "A" * 127 + "y")
def test_two_names_never_share_a_folder_even_on_a_disk_that_ignores_case(first: str, second: str) -> None:
    assert survives_windows(folder_name(first))
    assert (folder_name(first).casefold() == folder_name(second).casefold()) == (first == second)


def test_strange_names_get_folders_of_their_own_that_windows_can_make() -> None:
    folders = [folder_name(name) for name in STRANGE]
    assert len({folder.casefold() for folder in folders}) == len(STRANGE)
    assert all(survives_windows(folder) for folder in folders)


@pytest.mark.parametrize("name", ["", " ", "a" * 129, "a" * 300, "a\nb", "a\0b", "\x7f", "\ud800", "\u202e", "a\u2028"])
def test_names_that_nobody_could_read_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 128 printable characters"):
        check_name(name)


def test_files_of_strangely_named_rois_stay_inside_the_data_root_and_apart(client: TestClient, tmp_path: Path) -> None:
    for name in STRANGE:
        form = {"role_id": name, "roi_id": name, "mm_per_px": 0.5}
        answer = client.post("/datasets/ok/upload", data=form, files=good_pictures(1))
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json()["count"] == 1, name
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert len(list((tmp_path / "data" / "datasets").glob("*/*/ok/*.png"))) == len(STRANGE)
    for name in STRANGE:
        ask = {"role_id": name, "roi_id": name}
        listed = client.get("/datasets/list", params=ask).json()["classes"]["ok"]["files"]
        meta = client.get("/datasets/meta", params={**ask, "label": "ok", "filename": listed[0]}).json()
        assert (meta["role_id"], meta["roi_id"]) == (name, name)


@pytest.mark.parametrize("field", ["role_id", "roi_id"])
def test_a_name_that_cannot_be_one_is_refused_by_field(client: TestClient, field: str) -> None:
    for name in ("a" * 129, "a" * 300, "tab\there", "\x1b[31m"):
        answer = client.post("/infer", data={**FORM, field: name}, files={"image": disc(1)})
        assert_problem(answer, 422, field)
        assert_problem(client.get("/state", params={"role_id": "a", "roi_id": "a", field: name}), 422, field)
        asked = {"role_id": "a", "roi_id": "a", field: name, "model_version": 1}
        assert_problem(client.post("/models/activate", json=asked), 422, field)


def test_lone_surrogates_are_refused_however_they_are_sent(client: TestClient) -> None:
    body = b'{"role_id":"\\ud800","roi_id":"a","mm_per_px":1}'
    answer = client.post("/calibrate_ng", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "role_id")
    # a form may name its own character set, and UTF-7 can spell a surrogate
    parts = {"role_id": b"+2AA-", "roi_id": b"a", "mm_per_px": b"1", "part_id": b"+2AA-"}
    form = b"".join(b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
                    for name, value in parts.items())  # fmt: skip
    form += b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nx\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    assert_problem(client.post("/infer", content=form, headers=kind), 422, "role_id", "part_id")


@pytest.mark.parametrize(
    "filename", ["../../records.sqlite", "..", "", "x.png", "/etc/passwd", "a" * 120, "\0", "CON", "20261123T0"]
)
def test_no_file_outside_the_samples_can_be_read_or_deleted(taught: TestClient, filename: str) -> None:
    ask = {"role_id": "disc", "roi_id": "ring", "label": "ok", "filename": filename}
    assert_problem(taught.get("/datasets/file", params=ask), 404)
    assert_problem(taught.get("/datasets/meta", params=ask), 404)
    assert_problem(taught.delete("/datasets/file", params=ask), 404)
