"""Backups: made while others work, read back, copied to a second folder, kept by age; what fails says why."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.errors import Conflict, DiskFull, Problem
from service.store.backups.archive_file import check_archive
from service.store.backups.keeping import surplus
from service.store.backups.make import Backups, backups_lock
from tests.conftest import settings_for
from tests.kit.parts import ROI, assert_problem, infer, serving, upload
from tests.kit.small_disk import fill
from tests.store.test_disk_full import small_disk

assert small_disk  # a fixture
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ignore(_share: float, _stage: str) -> None:
    pass


def backups_of(data_root: Path, second: Path | None = None, reserve: int = 0) -> Backups:
    return Backups(data_root, "0.1.0", second, reserve)


def content(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_a_backup_holds_samples_models_records_settings_and_audit_log_and_no_pictures(taught: TestClient) -> None:
    data_root = taught.app.state.backend.settings.data_root  # type: ignore[attr-defined]
    (data_root / "settings.env").write_text("BACKEND_LOG_LEVEL=INFO\n")
    upload(taught, 2)
    infer(taught)
    made = taught.post("/backups").json()
    found = content(data_root / "backups" / made["name"])
    assert made["n_files"] == len(found) - 1  # the manifest
    assert sum(name.startswith("datasets/disc/ring/ok/") for name in found) == 4
    assert {
        "manifest.json", "models/disc/ring/current", "models/disc/ring/v0001/memory_bank.safetensors",
        "models/disc/ring/v0001/calibration.json", "records.sqlite", "settings.env", "logs/audit.jsonl",
    } <= set(found)  # fmt: skip
    assert [name for name in found if name.startswith("inspections/")] == []
    for name in ("models/disc/ring/current", "models/disc/ring/v0001/memory_bank.safetensors", "settings.env"):
        assert found[name] == (data_root / name).read_bytes()


def test_the_list_shows_the_newest_first_with_time_version_and_size(taught: TestClient) -> None:
    assert taught.get("/backups").json()["backups"] == []
    first, second = taught.post("/backups").json(), taught.post("/backups").json()
    listed = taught.get("/backups").json()
    assert [backup["name"] for backup in listed["backups"]] == [second["name"], first["name"]]
    assert listed["backups"][0]["version"] == "0.1.0"
    assert listed["backups"][0]["size_bytes"] == second["size_bytes"] > 1000
    assert listed["last_success_utc"] == second["created_utc"]
    line = next(line for line in taught.get("/metrics").text.splitlines() if line.startswith("backup_last_success"))
    assert float(line.split()[1]) == datetime.fromisoformat(second["created_utc"]).timestamp()


def test_it_can_be_made_as_a_job(taught: TestClient) -> None:
    started = taught.post("/backups", headers={"Prefer": "respond-async"})
    assert started.status_code == 202
    while (job := taught.get(started.headers["Location"]).json())["state"] == "running":
        pass
    assert (job["state"], job["kind"]) == ("done", "backup")
    assert job["result"]["name"] == taught.get("/backups").json()["backups"][0]["name"]


def test_records_committed_meanwhile_are_in_the_next_backup_and_the_copy_is_consistent(taught: TestClient) -> None:
    data_root, stop, answered = taught.app.state.backend.settings.data_root, threading.Event(), []  # type: ignore[attr-defined]

    def inspect() -> None:
        while not stop.is_set():
            answered.append(infer(taught).json()["inspection_id"])

    worker = threading.Thread(target=inspect)
    worker.start()
    names = [taught.post("/backups").json()["name"] for _ in range(3)]
    stop.set()
    worker.join()
    names.append(taught.post("/backups").json()["name"])
    counts = []
    for name in names:
        (data_root / "copy.sqlite").write_bytes(content(data_root / "backups" / name)["records.sqlite"])
        with closing(sqlite3.connect(data_root / "copy.sqlite")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counts.append(database.execute("SELECT count(*) FROM inspections").fetchone()[0])
        (data_root / "copy.sqlite").unlink()
    assert counts == sorted(counts)
    assert counts[-1] == len(answered) > 0


def test_samples_deleted_and_added_while_it_is_made_do_not_disturb_it(taught: TestClient) -> None:
    upload(taught, 6)
    data_root, stop = taught.app.state.backend.settings.data_root, threading.Event()  # type: ignore[attr-defined]

    def change() -> None:
        chance = random.Random(1)
        while not stop.is_set():
            upload(taught, 2, first=chance.randrange(40))
            taught.delete("/datasets/clear", params={**ROI, "label": "ok"})

    worker = threading.Thread(target=change)
    worker.start()
    try:
        for _ in range(5):
            made = taught.post("/backups").json()
            names = [name for name in content(data_root / "backups" / made["name"]) if name.startswith("datasets/")]
            pictures = {name[:-4] for name in names if name.endswith(".png")}
            assert pictures == {name[:-5] for name in names if name.endswith(".json")}
    finally:
        stop.set()
        worker.join()


def test_files_that_others_put_beside_samples_and_models_stay_out(data_root: Path) -> None:
    """A viewer's thumbnails must not cost the plant its backups."""
    for folder in ("models/disc/ring", "models/disc/ring/v0001", "models/disc", "datasets/disc/ring/ok", "layouts"):
        (data_root / folder).mkdir(parents=True, exist_ok=True)
        (data_root / folder / "Thumbs.db").write_bytes(b"pictures")
    made = backups_of(data_root).make(ignore, NOW)
    found = content(data_root / "backups" / made.backup.name)
    assert [name for name in found if "Thumbs" in name] == []
    assert "models/disc/ring/v0001/model.json" in found


def test_nothing_but_the_backup_remains(data_root: Path) -> None:
    backups = backups_of(data_root)
    made = backups.make(ignore, NOW)
    assert sorted(path.name for path in (data_root / "backups").iterdir()) == [made.backup.name, "outcome.json"]
    assert made.backup.name == "brakedisc-20261125T120000Z-0.1.0.tar.gz"


def test_two_in_one_second_have_two_names(data_root: Path) -> None:
    names = {backups_of(data_root).make(ignore, NOW).backup.name for _ in range(2)}
    assert len(names) == 2


def test_an_empty_data_root_can_be_backed_up(tmp_path: Path) -> None:
    made = backups_of(tmp_path).make(ignore, NOW)
    assert made.n_files == 0
    assert check_archive(tmp_path / "backups" / made.backup.name, lambda _: None).files == {}


def test_where_the_disk_knows_no_hard_links_files_are_copied(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError("the file system has no links")

    with_links = content(data_root / "backups" / backups_of(data_root).make(ignore, NOW).backup.name)
    monkeypatch.setattr("os.link", no_links)
    copied = content(data_root / "backups" / backups_of(data_root).make(ignore, NOW).backup.name)
    assert copied.keys() == with_links.keys()
    assert copied["models/disc/ring/current"] == with_links["models/disc/ring/current"]


# The second folder


def test_a_second_folder_gets_a_copy(data_root: Path, tmp_path: Path) -> None:
    second = tmp_path / "share"
    second.mkdir()
    made = backups_of(data_root, second).make(ignore, NOW)
    assert made.copy_error is None
    assert (second / made.backup.name).read_bytes() == (data_root / "backups" / made.backup.name).read_bytes()
    assert [path.name for path in second.iterdir()] == [made.backup.name]


def test_a_second_folder_that_is_not_there_is_a_warning_and_no_failure(data_root: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    with serving(settings_for(data_root, BACKEND_BACKUP_DIR=share)) as client:
        made = client.post("/backups").json()
        assert str(share) in made["copy_error"]
        health = client.get("/health").json()
        assert (health["status"], health["backup"]["error"]) == ("ok", None)
        assert [said for said in health["warnings"] if str(share) in said]
        share.mkdir()
        assert client.post("/backups").json()["copy_error"] is None
        assert client.get("/health").json()["warnings"] == []
    assert not share.joinpath(made["name"]).exists()


def test_a_second_folder_that_is_full_is_a_warning_and_leaves_nothing_there(data_root: Path, small_disk: Path) -> None:
    fill(small_disk, leave_kb=16)
    made = backups_of(data_root, small_disk).make(ignore, NOW)
    assert "full" in (made.copy_error or "")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


# Failures


def test_a_full_disk_is_said_and_the_service_goes_on(small_disk: Path, taught_root: Path) -> None:
    data_root = small_disk / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        upload(client, 4)
        filler = fill(small_disk, leave_kb=350)
        assert_problem(client.post("/backups"), 507, "free some space")
        assert list((data_root / "backups").glob("*.gz")) == list((data_root / "backups").glob(".tmp-*")) == []
        assert infer(client).json()["verdict"] == "OK"
        health = client.get("/health").json()
        assert (health["status"], health["code"]) == ("degraded", "backup_failed")
        assert "free some space" in health["backup"]["error"]
        filler.unlink()
        assert client.post("/backups").status_code == 200
        assert client.get("/health").json()["status"] == "ok"


def test_a_disk_that_others_fill_while_it_is_made_ends_it_before_the_last_space_is_gone(
    small_disk: Path, taught_root: Path
) -> None:
    data_root, reserve = small_disk / "data", 2_000_000
    shutil.copytree(taught_root, data_root)

    def fill_after_packing(_share: float, stage: str) -> None:
        if stage == "pack" and not (small_disk / "filler").exists():
            fill(small_disk, leave_kb=1000)

    backups = backups_of(data_root, reserve=reserve)
    with pytest.raises(DiskFull, match="got full while"):
        backups.make(fill_after_packing, NOW)
    assert shutil.disk_usage(small_disk).free > 900_000
    assert [path.name for path in (data_root / "backups").iterdir()] == ["outcome.json"]
    assert "got full" in (backups.outcome().error or "")


def test_only_one_at_a_time(data_root: Path) -> None:
    with backups_lock(data_root), pytest.raises(Conflict, match="being made or restored"):
        backups_of(data_root).make(ignore, NOW)
    assert backups_of(data_root).outcome().error is None


def test_a_backup_that_reads_back_wrong_does_not_count(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backups, sync = backups_of(data_root), os.fsync

    def spoil(handle: int) -> None:
        """A disk that keeps something else than it was given."""
        sync(handle)
        if stat.S_ISREG(os.fstat(handle).st_mode) and os.fstat(handle).st_size > 10_000:
            os.pwrite(handle, bytes(100), 5000)

    monkeypatch.setattr("os.fsync", spoil)
    with pytest.raises(Problem, match=r"damaged|another content"):
        backups.make(ignore, NOW)
    assert backups.all() == []
    assert backups.outcome().error


# What is kept


def names(times: list[datetime], version: str = "1") -> list[tuple[datetime, str, str]]:
    return [(time, version, f"{time:%Y%m%d%H}") for time in times]


def test_of_a_year_of_daily_backups_stay_seven_daily_four_weekly_six_monthly() -> None:
    daily = names([NOW - timedelta(days=n) for n in range(365)])
    gone = set(surplus(daily))
    kept = [time.date() for time, _, name in daily if name not in gone]
    days = [NOW.date() - timedelta(days=n) for n in range(7)]
    sundays = [day for n in range(30) if (day := NOW.date() - timedelta(days=n)).isoweekday() == 7][:3]
    month_ends = [datetime(2026, month, 1).date() - timedelta(days=1) for month in range(11, 6, -1)]
    assert kept == sorted({*days, *sundays, *month_ends}, reverse=True)


def test_a_pc_that_was_off_for_months_loses_nothing_of_what_it_has() -> None:
    rare = names([NOW - timedelta(days=40 * n) for n in range(6)])
    assert surplus(rare) == []


def test_all_of_the_last_day_stay_and_the_newest_of_every_version() -> None:
    today = names([NOW - timedelta(hours=n) for n in range(12)])
    old = names([NOW - timedelta(days=900), NOW - timedelta(days=901)], version="0")
    daily = names([NOW - timedelta(days=n) for n in range(2, 40)])
    gone = surplus([*today, *daily, *old])
    assert [name for _, _, name in today if name in gone] == []
    assert [name for _, _, name in old if name in gone] == [old[1][2]]


def test_what_is_surplus_goes_and_files_of_others_stay(data_root: Path, tmp_path: Path) -> None:
    second = tmp_path / "share"
    for folder in (data_root / "backups", second):
        folder.mkdir()
        (folder / "holiday.tar.gz").touch()
        for n in range(1, 60):
            (folder / f"brakedisc-{NOW - timedelta(days=n):%Y%m%dT%H%M%SZ}-0.1.0.tar.gz").touch()
    made = backups_of(data_root, second).make(ignore, NOW)
    left = {path.name for path in (data_root / "backups").glob("*.gz")}
    assert left == {path.name for path in second.glob("*.gz")}
    assert "holiday.tar.gz" in left
    assert len(left) < 20
    assert len(made.dropped) == 60 - (len(left) - 1)


def test_a_name_that_leads_elsewhere_is_no_backup(taught: TestClient) -> None:
    for name in ("..%2F..%2Fetc%2Fpasswd", "brakedisc-x.tar.gz", "brakedisc-20261125T120000Z-0.1.0.tar.gz"):
        answer: Any = taught.post(f"/backups/{name}/restore")
        assert answer.status_code == 404
