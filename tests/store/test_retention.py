"""Old pictures go by rule, OK before NG, oldest first; records stay; no clock and no full disk empties the archive."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from service.errors import Problem
from service.store.pictures.archive import Archive
from service.store.pictures.retention import Retention, Rules
from service.store.records.database import frames
from service.store.records.frames import FrameRecord
from service.store.records.inspections import new_inspection_id
from tests.kit.archived import NOW, Archived, Usage, run
from tests.kit.small_disk import fill
from tests.store.test_disk_full import small_disk

__all__ = ["small_disk"]  # the fixture


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Archived]:
    """Inspections have gone on every day: the clock is in no doubt."""
    archive = Archived(tmp_path)
    for day in range(10):
        archive.record(new_inspection_id(NOW - timedelta(days=day)))
    yield archive
    archive.engine.dispose()


def test_pictures_of_good_parts_go_sooner_than_all_others_and_records_never(archived: Archived) -> None:
    young = [archived.add(29), archived.add(29, "NG"), archived.add(0)]
    proof = [archived.add(31, "NG"), archived.add(32, None), archived.add(33, row=False)]
    gone = [archived.add(31), archived.add(400, heatmap=False)]
    old = [archived.add(91, "NG"), archived.add(91, None), archived.add(91, row=False), archived.add(91)]
    before = archived.rows()
    tally = run(archived.retention(Rules(30, 90, 0, 0)))
    assert archived.left() == sorted(young + proof)
    assert not any(archived.path(name, "heatmap.png").exists() for name in gone + old)
    assert all(archived.path(name, "heatmap.png").exists() for name in young + proof)
    assert archived.rows() == before
    assert tally.as_fields() == {"age_pictures": 6, "age_bytes": 8500, "in_use": 0, "clock_doubted": False}


def test_whole_frames_go_as_inspections_do_and_what_was_not_judged_stays_as_ng(archived: Archived) -> None:
    def frame(age_days: float, verdict: str | None) -> str:
        name = archived.add(age_days, row=False, heatmap=False)
        row = FrameRecord(name, "t", "disc", None, verdict, "r", None, None, "0", None)
        with archived.engine.begin() as connection:
            connection.execute(sa.insert(frames), [asdict(row)])
        return name

    kept = [frame(29, "OK"), frame(31, "NG"), frame(31, None)]
    frame(31, "OK"), frame(91, "NG"), frame(91, None)
    run(archived.retention(Rules(30, 90, 0, 0)))
    assert archived.left() == sorted(kept)


def test_the_age_is_that_of_the_inspection_to_the_second_not_of_the_file(archived: Archived) -> None:
    second = 1 / 86400
    kept, gone = archived.add(30 - second), archived.add(30 + second)
    os.utime(archived.path(kept), (0, 0))
    os.utime(archived.path(gone), (4e9, 4e9))
    run(archived.retention(Rules(30, 30, 0, 0)))
    assert archived.left() == [kept]


def test_it_goes_on_in_small_steps(archived: Archived) -> None:
    for _ in range(25):
        archived.add(40)
        archived.add(41)
    left = [50]
    for tally in archived.retention(Rules(30, 90, 0, 0)).run(limit=10):
        assert left[-1] - len(archived.left()) <= 10
        left.append(len(archived.left()))
        assert tally.pictures["age"] == 50 - left[-1]
    assert left[-1] == 0
    assert len(left) > 6


def test_too_many_bytes_cost_the_oldest_good_parts_then_the_oldest_others(archived: Archived) -> None:
    bad = [archived.add(age, "NG") for age in (50, 40, 30)]
    good = [archived.add(age) for age in (45, 35, 25, 2)]
    today = [archived.add(0.9), archived.add(0.1, "NG")]
    assert run(archived.retention(Rules(10_000, 10_000, 9 * 1500, 0))).as_fields()["in_use"] == 0
    assert len(archived.left()) == 9
    limits = {8: good[1:], 7: good[2:], 6: good[3:], 5: [], 4: [], 3: [], 2: [], 0: []}
    for number, expected_good in limits.items():
        tally = run(archived.retention(Rules(10_000, 10_000, number * 1500 + 700, 0)))
        assert [name for name in good if name in archived.left()] == expected_good
        expected_bad = bad[max(0, 5 - number) :]
        assert [name for name in bad if name in archived.left()] == expected_bad
        assert tally.pictures["free_disk"] + tally.pictures["age"] == 0
    assert archived.left() == sorted(today)  # nothing of the last day, whatever the limit


def test_the_same_retention_sees_what_came_and_went_between_its_runs(archived: Archived) -> None:
    names = [archived.add(age) for age in (50, 50, 40, 30)]
    retention = archived.retention(Rules(10_000, 10_000, 4 * 1500, 0))
    assert run(retention).pictures == {}
    archived.path(names[0]).unlink()  # by hand
    archived.path(names[0], "heatmap.png").unlink()
    added = archived.add(20)
    assert run(retention).pictures == {}
    archived.add(20)
    assert run(retention).pictures["size"] == 1
    assert added in archived.left()
    assert names[1] not in archived.left()


def test_a_disk_with_too_little_room_costs_as_many_old_pictures_as_make_room(archived: Archived) -> None:
    bad, good = archived.add(50, "NG"), [archived.add(age) for age in (40, 30, 20, 0.5)]

    def usage(_: Path) -> Usage:
        taken = sum(path.stat().st_size for path in archived.data_root.rglob("*.image"))
        return Usage(50_000, 8_900 - taken)

    tally = run(archived.retention(Rules(10_000, 10_000, 0, 12), usage))  # 6000 of 50000 must be free; 3900 are
    assert archived.left() == sorted([bad, *good[2:]])
    assert tally.as_fields() | {"in_use": 0} == {
        "free_disk_pictures": 2, "free_disk_bytes": 3000, "in_use": 0, "clock_doubted": False,
    }  # fmt: skip


def test_where_deleting_makes_no_room_one_run_does_not_empty_the_archive(archived: Archived) -> None:
    """Somebody else fills the disk, or the file system frees space late."""
    for age in range(2, 32):
        archived.add(age)
    retention = archived.retention(Rules(10_000, 10_000, 0, 10), lambda _: Usage(100_000, 6_000))
    assert run(retention).bytes["free_disk"] == 4_500
    assert len(archived.left()) == 27
    for _ in range(20):
        run(retention)
    assert archived.left() == []  # yet it goes on trying, down to the last day


def test_both_limits_share_what_they_remove(archived: Archived) -> None:
    for age in range(2, 12):
        archived.add(age)
    retention = archived.retention(Rules(10_000, 10_000, 12_000, 10), lambda _: Usage(100_000, 5_500))
    assert run(retention).pictures == {"size": 2, "free_disk": 1}


def test_a_picture_that_is_open_elsewhere_stays_with_its_heat_map_and_goes_the_next_time(
    archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [archived.add(age) for age in (40, 39, 38)]
    held, real = archived.path(names[1]), os.unlink

    def unlink(path: Path, **options: object) -> None:
        if Path(path) == held:
            raise PermissionError(13, "The process cannot access the file", str(path))
        real(path, **options)  # type: ignore[arg-type]

    retention = archived.retention(Rules(30, 90, 1, 50), lambda _: Usage(100_000, 0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink)
        tally = run(retention)
        assert (tally.pictures["age"], tally.in_use) == (2, {names[1]})
        assert archived.left() == [names[1]]
        assert archived.path(names[1], "heatmap.png").exists()
    assert run(retention).pictures["age"] == 1
    assert archived.left() == []


def test_what_is_not_a_kept_picture_is_left_alone_and_empty_folders_go(archived: Archived) -> None:
    gone, alone = archived.add(40), archived.add(41)
    folder = archived.path(gone).parent
    foreign = [
        folder / "notes.txt",
        folder / f"{gone}.image.bak",
        folder / f"{alone}.image.d",
        folder / f"{new_inspection_id(NOW - timedelta(days=300))}.image",  # not of this day
        archived.data_root / "inspections" / "2020" / "13" / "40" / "x.image",
        archived.data_root / "inspections" / "export" / "01" / "01" / "x.image",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    elsewhere = archived.data_root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "20200101T120000000000-0123abcd.image").write_bytes(b"x")
    linked = archived.data_root / "inspections" / "2020" / "01"
    linked.mkdir()
    (linked / "01").symlink_to(elsewhere, target_is_directory=True)
    (archived.path(alone).parent / ".tmp-999999999-abc").write_bytes(b"x")  # of a writer that was killed
    today = archived.path(new_inspection_id(NOW)).parent
    for empty in (today, archived.data_root / "inspections" / "2019" / "05" / "05"):
        empty.mkdir(parents=True)
    run(archived.retention(Rules(30, 90, 1, 50), lambda _: Usage(100_000, 0)))
    assert archived.left() == []
    assert all(path.exists() for path in foreign)
    assert len(list(elsewhere.iterdir())) == 1
    assert not archived.path(alone).parent.exists()
    assert not (archived.data_root / "inspections" / "2019").exists()
    assert today.exists()


def test_the_month_in_which_the_archive_writes_stays(archived: Archived) -> None:
    folder = archived.path(archived.add(3)).parent
    run(archived.retention(Rules(1, 1, 0, 0)))
    assert not folder.exists()
    assert folder.parent.exists()


def test_the_archive_goes_on_writing_while_retention_cleans(archived: Archived) -> None:
    retention, stopped = archived.retention(Rules(1, 1, 1, 50), lambda _: Usage(100_000, 0)), threading.Event()

    def clean() -> None:
        while not stopped.is_set():
            run(retention)

    for age in range(2, 100):
        archived.add(age)
    cleaner, archive = threading.Thread(target=clean), Archive(archived.data_root, 0)
    cleaner.start()
    try:
        for _ in range(50):
            archive.keep(new_inspection_id(NOW), b"x" * 10, b"y")
            time.sleep(0.005)
    finally:
        archive.close()
        stopped.set()
        cleaner.join()
    run(retention)
    assert archive.left_out == 0
    assert len(archived.left()) == 50


def test_days_without_good_parts_are_not_looked_at_again_and_again(archived: Archived) -> None:
    for age in range(31, 61):
        archived.add(age)
        archived.add(age, "NG")
    retention = archived.retention(Rules(30, 90, 0, 0))
    assert len(list(retention.run())) > 30
    assert len(list(retention.run())) < 3
    assert len(archived.left()) == 30
    archived.now += timedelta(days=60)
    for day in range(30):
        archived.record(new_inspection_id(archived.now - timedelta(days=day)))
    run(retention)
    assert archived.left() == []


def test_a_clock_set_back_makes_nothing_old(archived: Archived) -> None:
    names = sorted(archived.add(age, verdict) for age in range(0, 80, 7) for verdict in ("OK", "NG"))
    for clock in (datetime(2000, 1, 1, tzinfo=UTC), NOW - timedelta(days=50)):
        archived.now = clock
        retention = archived.retention(Rules(60, 60, 1, 50), lambda _: Usage(100_000, 0))
        young = [name for name in names if name[:8] >= f"{clock - timedelta(days=1):%Y%m%d}"]
        run(retention)
        assert [name for name in archived.left() if name in young] == young


@pytest.mark.parametrize("years", [1, 20])
def test_a_clock_set_forward_does_not_empty_the_archive(archived: Archived, years: int) -> None:
    names = sorted(archived.add(age, verdict) for age in range(0, 80, 7) for verdict in ("OK", "NG"))
    archived.now += timedelta(days=365 * years)
    retention = archived.retention(Rules(90, 90, 0, 0))
    assert run(retention).clock_doubted
    for _ in range(7):  # the line runs, and its records have the wrong date
        archived.record(new_inspection_id(archived.now))
        assert run(retention).as_fields() == {"in_use": 0, "clock_doubted": True}
        assert archived.left() == names
        archived.now += timedelta(days=1)
    assert run(retention).pictures["age"] == len(names)  # after a week it is believed


def test_after_holidays_pictures_stay_a_week_longer(archived: Archived) -> None:
    archived.add(80)
    archived.now += timedelta(days=35)
    retention = archived.retention(Rules(90, 90, 0, 0))
    archived.record(new_inspection_id(archived.now))
    assert run(retention).clock_doubted
    archived.now += timedelta(days=7)
    tally = run(retention)
    assert (tally.pictures["age"], tally.clock_doubted) == (1, False)


@pytest.mark.parametrize("keep_days", [1, 7, 30, 90, 365])
@pytest.mark.parametrize("every_days", [1, 5, 20, 45, 100])
def test_where_parts_are_rare_old_pictures_go_all_the_same(tmp_path: Path, keep_days: int, every_days: int) -> None:
    archived = Archived(tmp_path)
    retention = archived.retention(Rules(keep_days, keep_days, 0, 0))
    for day in range(keep_days + 3 * every_days + 10):
        archived.now = NOW + timedelta(days=day)
        if day % every_days == 0:
            archived.add(-day)
        run(retention)
    oldest = datetime.strptime(archived.left()[0][:8], "%Y%m%d").replace(tzinfo=UTC) if archived.left() else NOW
    archived.engine.dispose()
    assert (archived.now - oldest).days <= keep_days + every_days + 7 or not archived.left()


def test_without_a_readable_database_nothing_is_deleted(archived: Archived) -> None:
    names = [archived.add(age) for age in (40, 50)]
    archived.engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        (archived.data_root / f"records.sqlite{suffix}").unlink(missing_ok=True)
    (archived.data_root / "records.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(Problem, match=r"records\.sqlite cannot be used"):
        run(archived.retention(Rules(30, 30, 1, 50)))
    assert archived.left() == sorted(names)


def test_an_unreadable_day_does_not_end_the_run(archived: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [archived.add(age) for age in (40, 50)]
    closed, real = archived.path(names[1]).parent, os.scandir

    def scandir(path: str | Path) -> object:
        if Path(path) == closed:
            refuse(path)
        return real(path)

    def refuse(path: str | Path) -> NoReturn:
        raise PermissionError(13, "Access is denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        assert run(archived.retention(Rules(30, 30, 1, 0))).pictures["age"] == 1
    assert archived.left() == [names[1]]


def test_no_inspections_yet(tmp_path: Path) -> None:
    archived = Archived(tmp_path)
    rules = Rules(1, 1, 1, 50)
    assert run(archived.retention(rules)).as_fields() == {"in_use": 0, "clock_doubted": False}
    archived.engine.dispose()


def test_on_a_really_small_disk_old_pictures_make_room_for_new_ones(small_disk: Path) -> None:
    archived = Archived(small_disk)
    for age in range(2, 42):
        archived.path(archived.add(age, "OK" if age % 2 else "NG", heatmap=False)).write_bytes(bytes(100_000))
    today = archived.add(0.1)
    fill(small_disk, leave_kb=100)
    retention = Retention(small_disk, archived.engine, Rules(10_000, 10_000, 0, 25), now=lambda: NOW)
    tally = run(retention)
    usage = shutil.disk_usage(small_disk)
    assert usage.free >= usage.total * 0.25
    assert usage.free < usage.total * 0.25 + 200_000  # and not one more than needed
    left = archived.left()
    assert len(left) == 41 - tally.pictures["free_disk"]
    assert left[-1] == today
    assert archived.rows() == 41
    assert run(retention).pictures == {}
    archived.engine.dispose()
