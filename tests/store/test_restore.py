"""A backup comes back whole or not at all, whatever interrupts it; what was proven since is kept."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from service.errors import Conflict, DiskFull, NotFound, RestoreUnfinished
from service.store.audit.chain import last
from service.store.backups.archive_file import check_archive
from service.store.backups.restore import (
    finish_restore,
    former_is_kept,
    refuse_half_restored,
    restored,
    settle,
    stage,
    stage_former,
)
from service.store.records.database import SCHEMA
from tests.conftest import settings_for
from tests.kit.parts import assert_problem, infer, serving, state
from tests.kit.restored import content, inspections, the_backup
from tests.store.test_backups import backups_of, ignore

if TYPE_CHECKING:
    pass


def test_restored_is_what_was_backed_up_and_the_former_state_is_kept(changed: Path, then: dict[str, bytes]) -> None:
    now = content(changed)
    stage(changed, the_backup(changed), 0, ignore)
    assert content(changed) == now  # inspections go on with it
    with pytest.raises(RestoreUnfinished):
        refuse_half_restored(changed)
    assert finish_restore(changed)
    assert content(changed) == then != now
    assert content(changed / "restore" / "former") == now
    assert (waiting := restored(changed)) is not None
    assert waiting.backup == the_backup(changed).name
    assert finish_restore(changed) is False
    refuse_half_restored(changed)


def test_inspections_recorded_since_the_backup_stay_in_the_record(changed: Path) -> None:
    before = inspections(changed)
    stage(changed, the_backup(changed), 0, ignore)
    finish_restore(changed)
    assert inspections(changed) == before
    assert len(before) == 2
    assert (waiting := restored(changed)) is not None
    assert waiting.carried_over == 1


def test_records_that_only_lie_in_the_write_ahead_log_are_carried_over_too(changed: Path) -> None:
    """As a killed service leaves them."""
    stage(changed, the_backup(changed), 0, ignore)
    database = sqlite3.connect(changed / "records.sqlite")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA wal_autocheckpoint=0")
    with database:
        database.execute(
            "INSERT INTO inspections SELECT 'late', time_utc, role_id, roi_id, part_id, verdict, score, threshold, "
            "model_version, mm_per_px, request_id, key_name, station, image_sha256, image_name, regions, params, "
            "timings_ms, NULL FROM inspections LIMIT 1"
        )
    aside = changed.parent / "aside"
    shutil.copytree(changed, aside)  # without the clean-up that closing does
    database.close()
    assert (aside / "records.sqlite-wal").stat().st_size > 0
    finish_restore(aside)
    assert "late" in inspections(aside)


def test_a_former_database_that_is_damaged_costs_the_later_records_and_says_so(changed: Path) -> None:
    stage(changed, the_backup(changed), 0, ignore)
    (changed / "records.sqlite").write_bytes(b"no database" * 1000)
    finish_restore(changed)
    assert len(inspections(changed)) == 1
    assert (waiting := restored(changed)) is not None
    assert "could not be read" in waiting.note
    settle(changed)  # what nobody else has is not thrown away
    (kept,) = (changed / "restore").iterdir()
    assert kept.name.startswith("kept-")
    assert (kept / "records.sqlite").read_bytes().startswith(b"no database")


def test_under_a_service_nothing_is_swapped(changed: Path) -> None:
    """One that runs on another port than the settings say."""
    stage(changed, the_backup(changed), 0, ignore)
    with serving(settings_for(changed)) as client:
        with pytest.raises(Conflict, match="A service uses"):
            finish_restore(changed)
        assert state(client)["model_version"] == 2
    assert finish_restore(changed)


def test_one_can_go_back_to_the_former_state_until_it_was_verified(changed: Path, then: dict[str, bytes]) -> None:
    now = content(changed)
    stage(changed, the_backup(changed), 0, ignore)
    finish_restore(changed)
    stage_former(changed)
    assert content(changed) == then
    finish_restore(changed)
    assert content(changed) == now
    assert restored(changed) is None
    assert not former_is_kept(changed)
    with pytest.raises(NotFound, match="no restore, or it was verified"):
        stage_former(changed)


def test_a_second_restore_keeps_the_first_former_state(changed: Path, then: dict[str, bytes]) -> None:
    now = content(changed)
    for _ in range(2):
        stage(changed, the_backup(changed), 0, ignore)
        finish_restore(changed)
    assert content(changed) == then
    assert content(changed / "restore" / "former") == now


def test_when_it_was_verified_the_former_state_goes(changed: Path) -> None:
    stage(changed, the_backup(changed), 0, ignore)
    finish_restore(changed)
    settle(changed)
    assert restored(changed) is None
    assert list((changed / "restore").iterdir()) == []


def test_a_restore_that_waits_is_not_replaced_by_another(changed: Path) -> None:
    stage(changed, the_backup(changed), 0, ignore)
    with pytest.raises(Conflict, match="waits already"):
        stage(changed, the_backup(changed), 0, ignore)


def test_without_room_nothing_is_unpacked(changed: Path) -> None:
    now = content(changed)
    with pytest.raises(DiskFull, match="Nothing was changed"):
        stage(changed, the_backup(changed), 10**18, ignore)
    assert content(changed) == now
    assert list((changed / "restore").iterdir()) == []


def test_a_damaged_archive_changes_nothing(changed: Path) -> None:
    now, archive = content(changed), the_backup(changed)
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2])
    with serving(settings_for(changed)) as client:
        assert_problem(client.post(f"/backups/{archive.name}/restore"), 422, "damaged")
        assert infer(client).json()["model_version"] == 2
    assert content(changed) == now
    assert list((changed / "restore").iterdir()) == []


def test_a_restore_through_the_service_starts_it_anew_and_is_noted(changed: Path, then: dict[str, bytes]) -> None:
    asked = []
    with serving(settings_for(changed)) as client:
        client.app.state.backend.upkeep.restart = lambda: asked.append(True)  # type: ignore[attr-defined]
        assert client.post(f"/backups/{the_backup(changed).name}/restore").json()["backup"] == the_backup(changed).name
        assert asked == [True]
    entry = last(changed, "restore")
    assert entry is not None
    assert entry.target == {"backup": the_backup(changed).name}
    finish_restore(changed)
    with serving(settings_for(changed)) as client:
        assert content(changed) == then
        health = client.get("/health").json()
        assert (health["status"], health["code"]) == ("degraded", "restore_not_verified")
        assert infer(client).json()["model_version"] == 1
        assert client.post("/admin/verify").json()["passed"] is True
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/backups").json()["former_kept"] is False
    assert not (changed / "restore" / "former").exists()


def test_a_restored_state_that_does_not_pass_keeps_the_former_one(changed: Path) -> None:
    stage(changed, the_backup(changed), 0, ignore)
    finish_restore(changed)
    (changed / "models" / "disc" / "ring" / "v0001" / "memory_bank.safetensors").write_bytes(b"damaged")
    with serving(settings_for(changed)) as client:
        answer = client.post("/admin/verify").json()
        assert answer["passed"] is False
        assert [check["kind"] for check in answer["checks"] if not check["passed"]] == ["model"]
        assert client.get("/backups").json()["former_kept"] is True
        assert client.get("/health").json()["status"] == "degraded"


def to_schema_1(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE frames")
        connection.execute("DROP INDEX ix_inspections_frame_id")
        connection.execute("ALTER TABLE inspections DROP COLUMN frame_id")
        connection.execute("ALTER TABLE inspections DROP COLUMN station")
        connection.execute("PRAGMA user_version=1")


def test_a_backup_of_an_older_version_is_brought_to_this_one(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the database as the first version wrote it."""
    to_schema_1(changed / "records.sqlite")
    with monkeypatch.context() as patch:
        patch.setattr("service.store.backups.make.SCHEMA", 1)
        made = backups_of(changed).make(ignore)
    archive = changed / "backups" / made.backup.name
    assert check_archive(archive, lambda _: None).about["schema"] == 1
    stage(changed, archive, 0, ignore)
    finish_restore(changed)
    with serving(settings_for(changed)) as client:
        assert client.get("/inspections").json()["total"] == 2
        shown = client.get(f"/inspections/{infer(client).json()['inspection_id']}").json()
        assert shown["station"] == "testclient"
    assert SCHEMA == 3


def test_a_backup_of_a_newer_version_is_refused(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("service.store.backups.make.SCHEMA", SCHEMA + 1)
        made = backups_of(changed).make(ignore)
    with serving(settings_for(changed)) as client:
        assert_problem(client.post(f"/backups/{made.backup.name}/restore"), 422, "newer than this one", "update first")


def test_a_backup_without_records_is_refused(changed: Path, tmp_path: Path) -> None:
    made = backups_of(tmp_path / "empty").make(ignore)
    shutil.copy(tmp_path / "empty" / "backups" / made.backup.name, changed / "backups")
    with serving(settings_for(changed)) as client:
        assert_problem(client.post(f"/backups/{made.backup.name}/restore"), 422, "holds no records.sqlite")


def test_on_another_pc_the_audit_log_comes_along_and_here_it_goes_on(changed: Path, tmp_path: Path) -> None:
    here = (changed / "logs" / "audit.jsonl").read_bytes()
    stage(changed, the_backup(changed), 0, ignore)
    finish_restore(changed)
    assert (changed / "logs" / "audit.jsonl").read_bytes() == here
    other = tmp_path / "other"
    stage(other, the_backup(changed), 0, ignore)
    finish_restore(other)
    assert here.startswith((other / "logs" / "audit.jsonl").read_bytes())
    with serving(settings_for(other)) as client:
        assert infer(client).json()["model_version"] == 1


# Power cuts


def test_the_outage_page_says_that_a_restore_is_unfinished(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another program holds cannot be moved; until it lets go, nothing works on half a state."""
    from service.__main__ import make_app

    stage(changed, the_backup(changed), 0, ignore)

    def held(_: Path, target: Path) -> None:
        raise PermissionError(13, "used by another program", str(target))

    with monkeypatch.context() as patch:
        patch.setattr("service.store.backups.restore._move", held)
        app = make_app(settings_for(changed), lambda _: None, restart=lambda: None)  # type: ignore[arg-type,return-value]
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.get("/health")
        assert answer.status_code == 503
        assert "used by another program" in answer.json()["reason"]
        assert client.get("/models").status_code == 503
