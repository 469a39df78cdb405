"""The record of every inspection: filter, page, export, show."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from PIL import Image

from service.errors import NotFound
from service.store.pictures.archive import Archive
from service.store.records.database import inspections, open_database
from service.store.records.inspections import Record, Records
from tests.conftest import settings_for
from tests.kit.parts import SIZE, assert_problem, disc, infer, serving, spoiled_disc, wait_until


@pytest.fixture
def inspected(taught: TestClient) -> TestClient:
    """Three good parts and two bad ones, one of them with a code that a spreadsheet would run."""
    for number in range(3):
        infer(taught, disc(number), part_id=f"A{number}")
    infer(taught, spoiled_disc(50), part_id="A1")
    infer(taught, spoiled_disc(51), part_id="=cmd|'/c calc'!A1", name="cámara.png")
    return taught


def found(client: TestClient, **which: object) -> list[str | None]:
    return [item["part_id"] for item in client.get("/inspections", params=which).json()["inspections"]]


def test_inspections_are_found_latest_first_and_by_what_they_were(inspected: TestClient) -> None:
    assert found(inspected)[1:] == ["A1", "A2", "A1", "A0"]
    assert found(inspected, verdict="OK") == ["A2", "A1", "A0"]
    assert found(inspected, part_id="A1") == ["A1", "A1"]
    assert found(inspected, part_id="A1", verdict="NG") == ["A1"]
    assert len(found(inspected, role_id="disc", roi_id="ring")) == 5
    assert found(inspected, role_id="nobody") == []
    now = datetime.now(UTC)
    assert len(found(inspected, since=(now - timedelta(hours=1)).isoformat(), before=now.isoformat())) == 5
    assert found(inspected, since=now.isoformat()) == []
    assert found(inspected, before=(now - timedelta(hours=1)).isoformat()) == []
    east = (now - timedelta(minutes=1)).astimezone().isoformat()
    assert len(found(inspected, since=east)) == 5
    for bad in ({"verdict": "MAYBE"}, {"limit": 0}, {"limit": 1001}, {"offset": -1}, {"since": "yesterday"}):
        assert_problem(inspected.get("/inspections", params=bad), 422, next(iter(bad)))
    assert_problem(inspected.get("/inspections", params={"since": "0001-01-01T00:00:00+14:00"}), 422, "since")


def test_inspections_come_in_pages(inspected: TestClient) -> None:
    everything = found(inspected)
    pages = [found(inspected, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [part for page in pages for part in page] == everything
    assert inspected.get("/inspections?limit=2").json()["total"] == 5


def test_the_csv_holds_every_inspection_and_no_formula(inspected: TestClient) -> None:
    answer = inspected.get("/inspections", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "inspections.csv" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["part_id"] for row in rows] == ["A0", "A1", "A2", "A1", "'=cmd|'/c calc'!A1"]
    assert [row["verdict"] for row in rows] == ["OK", "OK", "OK", "NG", "NG"]
    assert rows[-1]["image_name"] == "cámara.png"
    assert all(float(row["score"]) >= 0 and row["inspection_id"] for row in rows)
    only = inspected.get("/inspections", params={"format": "csv", "verdict": "NG"}).text
    assert len(list(csv.DictReader(io.StringIO(only)))) == 2


def test_an_inspection_tells_everything_and_shows_its_picture_and_heat_map(inspected: TestClient) -> None:
    answer = infer(inspected, spoiled_disc(50), part_id="B7", name="b7.png").json()
    identity = answer["inspection_id"]
    record = inspected.get(f"/inspections/{identity}").json()
    for name in ("score", "threshold", "verdict", "regions", "params", "part_id", "model_version"):
        assert record[name] == answer[name], name
    assert record["image_sha256"] == hashlib.sha256(spoiled_disc(50)).hexdigest()
    assert (record["image_name"], record["key_name"]) == ("b7.png", None)

    wait_until(lambda: inspected.get(f"/inspections/{identity}/heatmap").status_code == 200)
    picture = inspected.get(f"/inspections/{identity}/image")
    assert (picture.headers["content-type"], picture.content) == ("image/png", spoiled_disc(50))
    heat = np.asarray(Image.open(io.BytesIO(inspected.get(f"/inspections/{identity}/heatmap").content)))
    assert (heat.shape, heat.max()) == ((SIZE, SIZE), 255)


@pytest.mark.parametrize("identity", ["nope", "..%2F..%2Frecords.sqlite", "20261123T071455123456-3f9a1c2d", "%00"])
def test_an_inspection_nobody_knows_is_a_404(taught: TestClient, identity: str) -> None:
    for kind in ("", "/image", "/heatmap"):
        assert_problem(taught.get(f"/inspections/{identity}{kind}"), 404)


def test_every_ng_is_kept_and_every_nth_ok(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=2)) as client:
        good = [infer(client).json()["inspection_id"] for _ in range(4)]
        bad = infer(client, spoiled_disc(50)).json()["inspection_id"]
        wait_until(lambda: client.get(f"/inspections/{bad}/image").status_code == 200)
        kept = [client.get(f"/inspections/{identity}/image").status_code for identity in good]
        assert kept == [404, 200, 404, 200]
        assert "BACKEND_ARCHIVE_OK_EVERY" in client.get(f"/inspections/{good[0]}/image").json()["detail"]


def test_records_survive_a_restart(inspected: TestClient, data_root: Path) -> None:
    with serving(settings_for(data_root)) as restarted:
        assert found(restarted) == found(inspected)


def test_many_inspections_at_once_all_get_their_record(taught: TestClient) -> None:
    identities: list[str] = []

    def station() -> None:
        identities.extend(infer(taught, heatmap="false").json()["inspection_id"] for _ in range(5))

    stations = [threading.Thread(target=station) for _ in range(6)]
    for thread in stations:
        thread.start()
    for thread in stations:
        thread.join()
    assert len(set(identities)) == 30
    assert taught.get("/inspections").json()["total"] == 30


def record(number: int, **changes: object) -> Record:
    plain = {"inspection_id": f"i{number}", "time_utc": "2026", "role_id": "a", "roi_id": "b", "part_id": None}
    known = {"verdict": "OK", "score": 1.0, "threshold": 2.0, "model_version": 1, "mm_per_px": 1.0, "request_id": "r"}
    return Record(**{**plain, **known, "key_name": None, "image_sha256": "", "image_name": None, **changes})  # type: ignore[arg-type]


def test_a_record_that_cannot_be_written_is_an_error_and_the_next_one_is_written(tmp_path: Path) -> None:
    """No part id can hold a lone surrogate; if one ever does, the writer must live on."""
    database = open_database(tmp_path / "records.sqlite")
    records = Records(database)
    with pytest.raises(UnicodeEncodeError):
        records.add(record(1, part_id="\ud800"))
    records.add(record(2))
    assert records.get("i2").score == 1.0
    with pytest.raises(NotFound):
        records.get("i1")
    records.close()
    with database.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(inspections)).scalar_one() == 1
    database.dispose()


def test_a_picture_that_cannot_be_kept_is_counted_and_the_next_one_is_kept(tmp_path: Path) -> None:
    gone = tmp_path / "unplugged"
    archive = Archive(gone, min_free_bytes=0)
    archive.keep("20261123T071455123456-3f9a1c2d", b"x", None)
    wait_until(lambda: archive.left_out == 1)
    gone.mkdir()
    archive.keep("20261123T071455123456-3f9a1c2e", b"picture", b"heat")
    archive.close()
    assert archive.image("20261123T071455123456-3f9a1c2e") == b"picture"
    assert archive.heatmap("20261123T071455123456-3f9a1c2e") == b"heat"
