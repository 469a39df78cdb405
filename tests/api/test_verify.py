"""Golden parts: marked by a quality engineer, judged again on demand and daily; without a pass the state says so."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.operations import daily
from service.operations.daily import Chore, Housekeeping
from service.operations.verify import due_since, gate
from service.store.backups.restore import finish_restore, stage
from service.store.files import leader_lock
from service.store.state.verification import Verification, keep_verification, last_verification
from tests.conftest import settings_for
from tests.kit.parts import (
    FORM,
    RING,
    ROI,
    assert_problem,
    calibrate,
    disc,
    fit,
    serving,
    spoiled_disc,
    upload,
    wait_until,
)

META = json.dumps({"shape": json.loads(RING)})


def add(client: TestClient, image: bytes, label: str, expected: str | None) -> str:
    data = {**ROI, "mm_per_px": FORM["mm_per_px"], "metas": META}
    filename = client.post(f"/datasets/{label}/upload", data=data, files={"images": ("p.png", image)}).json()["files"][
        0
    ]
    assert mark(client, label, filename, expected).status_code == 200
    return str(filename)


def mark(client: TestClient, label: str, filename: str, expected: str | None) -> Any:
    return client.put("/datasets/golden", json={**ROI, "label": label, "filename": filename, "expected": expected})


def test_golden_parts_that_get_their_expected_verdict_pass(taught: TestClient) -> None:
    good, bad = add(taught, disc(1), "ok", "OK"), add(taught, spoiled_disc(50), "ng", "NG")
    answer = taught.post("/admin/verify").json()
    assert (answer["passed"], answer["n_golden"]) == (True, 2)
    found = {check["what"].rpartition("/")[2]: check for check in answer["checks"] if check["kind"] == "golden"}
    assert (found[good]["verdict"], found[bad]["verdict"]) == ("OK", "NG")
    assert found[bad]["score"] > found[bad]["threshold"] > found[good]["score"]
    assert found[good]["model_version"] == 1
    assert [check["kind"] for check in answer["checks"]] == ["engine", "model", "golden", "golden"]
    assert taught.get("/inspections").json()["total"] == 0


def test_a_golden_part_with_another_verdict_fails(taught: TestClient) -> None:
    missed = add(taught, disc(1), "ng", "NG")
    add(taught, disc(2), "ok", "OK")
    answer = taught.post("/admin/verify").json()
    assert answer["passed"] is False
    (failed,) = [check for check in answer["checks"] if not check["passed"]]
    assert (failed["what"], failed["expected"], failed["verdict"]) == (f"disc/ring/ng/{missed}", "NG", "OK")


def test_marks_are_listed_changed_and_taken_away(taught: TestClient) -> None:
    filename = add(taught, disc(1), "ok", "OK")
    listed = taught.get("/datasets/golden").json()["golden"]
    assert listed == [{**ROI, "label": "ok", "filename": filename, "expected": "OK"}]
    assert taught.get("/datasets/golden", params={"role_id": "other"}).json()["golden"] == []
    assert mark(taught, "ok", filename, None).json()["golden"] == []
    assert taught.post("/admin/verify").json()["n_golden"] == 0
    assert taught.get("/datasets/meta", params={**ROI, "label": "ok", "filename": filename}).json()["golden"] is None


def test_a_mark_of_a_sample_that_is_not_there_is_refused(taught: TestClient) -> None:
    assert_problem(mark(taught, "ok", "20261123T071455123456-3f9a1c2d.png", "OK"), 404)
    assert_problem(mark(taught, "ok", upload(taught, 1).json()["files"][0], "MAYBE"), 422)


def test_a_version_that_is_not_calibrated_fails(taught: TestClient) -> None:
    add(taught, disc(1), "ok", "OK")
    fit(taught, 3)
    failed = [check for check in taught.post("/admin/verify").json()["checks"] if not check["passed"]]
    assert [check["kind"] for check in failed] == ["golden"]
    assert "not calibrated" in failed[0]["detail"]
    calibrate(taught)
    assert taught.post("/admin/verify").json()["passed"] is True


@pytest.mark.parametrize("damage", ["model", "pointer", "sample", "picture"])
def test_what_is_damaged_fails(data_root: Path, damage: str) -> None:
    with serving(settings_for(data_root)) as client:
        filename = add(client, disc(1), "ok", "OK")
        client.post("/admin/verify").json()
    samples, model = data_root / "datasets/disc/ring/ok", data_root / "models/disc/ring"
    file = {
        "model": model / "v0001" / "memory_bank.safetensors",
        "pointer": model / "current",
        "sample": (samples / filename).with_suffix(".json"),
        "picture": samples / filename,
    }[damage]
    file.write_bytes(b"damaged")
    with serving(settings_for(data_root)) as client:
        answer = client.post("/admin/verify").json()
    assert answer["passed"] is False
    kinds = {check["kind"] for check in answer["checks"] if not check["passed"]}
    # a pointer to nowhere: the version before serves, and says so
    assert kinds == {"model": {"model", "golden"}, "pointer": {"model"}}.get(damage, {"golden"})


def test_an_engine_that_lost_its_device_fails(taught: TestClient) -> None:
    taught.app.state.backend.device.loader.engine().lost_reason = "The GPU was lost."  # type: ignore[attr-defined]
    answer = taught.post("/admin/verify").json()
    assert [check["detail"] for check in answer["checks"] if not check["passed"]] == ["The GPU was lost."]


# The daily gate


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def test_the_day_begins_at_the_set_hour_of_the_local_clock() -> None:
    assert due_since(5, local("2026-11-25T04:59")) == local("2026-11-24T05:00")
    assert due_since(5, local("2026-11-25T05:00")) == local("2026-11-25T05:00")
    assert due_since(0, local("2026-11-25T23:59")) == local("2026-11-25T00:00")


def test_without_the_days_pass_the_state_is_degraded_until_there_is_one(data_root: Path) -> None:
    hour = (datetime.now() - timedelta(hours=1)).hour
    with serving(settings_for(data_root, BACKEND_VERIFY_HOUR=hour)) as client:
        health = client.get("/health").json()
        assert (health["status"], health["code"]) == ("degraded", "golden_not_checked")
        assert "Golden parts not checked" in health["reason"]
        client.post("/admin/verify")
        assert "no sample is marked" in client.get("/health").json()["reason"]
        bad = add(client, disc(1), "ng", "NG")
        client.post("/admin/verify")
        health = client.get("/health").json()
        assert (health["status"], health["code"], health["codes"]) == ("degraded", "golden_failed", ["golden_failed"])
        mark(client, "ng", bad, "OK")
        client.post("/admin/verify")
        assert client.get("/health").json()["status"] == "ok"


def test_a_pass_of_yesterday_does_not_count_today(data_root: Path) -> None:
    now = datetime.now(UTC)
    with serving(settings_for(data_root, BACKEND_VERIFY_HOUR=datetime.now().hour)) as client:
        backend = client.app.state.backend  # type: ignore[attr-defined]
        stale = (now - timedelta(hours=25)).isoformat()
        keep_verification(data_root, Verification(stale, stale, True, 3, 0))
        assert gate(backend.kept, now + timedelta(hours=1)) is not None
        fresh = now.isoformat()
        keep_verification(data_root, Verification(fresh, fresh, True, 3, 0))
        assert gate(backend.kept, now + timedelta(hours=1)) is None


def test_the_check_is_made_by_itself_when_its_hour_has_come(data_root: Path) -> None:
    now = [local("2026-11-25T04:00")]
    with serving(settings_for(data_root, BACKEND_VERIFY_HOUR=5)) as client:
        backend = client.app.state.backend  # type: ignore[attr-defined]
        add(client, disc(1), "ok", "OK")
        checked = local("2026-11-24T06:00").isoformat()
        keep_verification(data_root, Verification(checked, checked, True, 1, 0))
        daily.verify_daily(backend.device, backend.kept, backend.people, lambda: now[0])
        assert last_verification(data_root) == Verification(checked, checked, True, 1, 0)
        now[0] = local("2026-11-25T05:01")
        daily.verify_daily(backend.device, backend.kept, backend.people, lambda: now[0])
        assert (last := last_verification(data_root)) is not None
        assert last.checked_utc != checked
        assert (last.passed, last.n_golden) == (True, 1)


# The daily backup


def backups_at(data_root: Path, moments: list[str], **settings: object) -> list[bool]:
    """Whether a backup is made at each of the moments."""
    made = []
    with serving(settings_for(data_root, **settings)) as client:
        backend = client.app.state.backend  # type: ignore[attr-defined]
        for moment in moments:
            make, before = backend.upkeep.backups.make, backend.upkeep.backups.outcome().last_success_utc
            backend.upkeep.backups.make = lambda report, now=local(moment), make=make: make(report, now)
            daily.back_up_daily(backend.device, backend.upkeep, lambda moment=moment: local(moment))  # type: ignore[misc]
            backend.upkeep.backups.make = make
            made.append(backend.upkeep.backups.outcome().last_success_utc != before)
    return made


def test_a_backup_is_made_once_a_day_after_its_hour_and_a_missed_one_at_the_next_start(data_root: Path) -> None:
    moments = ["2026-11-25T01:59", "2026-11-25T02:00", "2026-11-25T02:01", "2026-11-25T23:00", "2026-11-26T01:00"]
    assert backups_at(data_root, moments) == [True, True, False, False, False]  # the very first is made at once
    assert backups_at(data_root, ["2026-11-28T15:00", "2026-11-28T15:01"]) == [True, False]


def test_without_an_hour_none_is_made(data_root: Path) -> None:
    assert backups_at(data_root, ["2026-11-25T03:00"], BACKEND_BACKUP_HOUR=-1) == [False]


def keeper_of(data_root: Path, *chores_: Chore) -> Housekeeping:
    return Housekeeping(chores_, leader_lock(data_root / "locks" / "housekeeping.lock"))


def test_of_two_processes_one_keeps_house_and_the_other_takes_over(tmp_path: Path) -> None:
    done: list[str] = []
    first = keeper_of(tmp_path, Chore("note", lambda: done.append("first"), every_s=0, retry_s=0))
    second = keeper_of(tmp_path, Chore("note", lambda: done.append("second"), every_s=0, retry_s=0))
    first.look()
    second.look()
    assert done == ["first"]
    first.close()
    second.look()
    assert done == ["first", "second"]
    second.close()


def test_a_chore_that_fails_is_tried_again_later_and_stops_no_other(tmp_path: Path) -> None:
    tried: list[str] = []

    def fail() -> None:
        tried.append("failing")
        raise OSError("the share is gone")

    failing = Chore("failing", fail, every_s=0, retry_s=1000)
    keeper = keeper_of(tmp_path, failing, Chore("other", lambda: tried.append("other"), every_s=0, retry_s=0))
    keeper.look()
    keeper.look()
    keeper.close()
    assert tried == ["failing", "other", "other"]


def test_the_service_keeps_house_by_itself(data_root: Path) -> None:
    """From its start on, here without the minute it waits for Windows."""
    with serving(settings_for(data_root)) as client:
        keeper = daily.housekeeping(
            client.app.state.backend.device,
            client.app.state.backend.kept,
            client.app.state.backend.people,
            client.app.state.backend.upkeep,
            start_delay_s=0,
        )  # type: ignore[attr-defined]
        keeper.start()
        wait_until(lambda: client.get("/backups").json()["backups"])
        keeper.close()


def test_a_restored_state_is_verified_by_itself(data_root: Path) -> None:
    with serving(settings_for(data_root)) as client:
        name = client.post("/backups").json()["name"]
    stage(data_root, data_root / "backups" / name, 0, lambda _share, _stage: None)
    finish_restore(data_root)
    with serving(settings_for(data_root)) as client:
        assert client.get("/health").json()["code"] == "restore_not_verified"
        daily.verify_restored(
            client.app.state.backend.device, client.app.state.backend.kept, client.app.state.backend.people
        )  # type: ignore[attr-defined]
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/backups").json()["former_kept"] is False


def test_old_pictures_go_by_themselves(data_root: Path) -> None:
    """Those of an NG part of a hundred days ago, on a disk that is too full; its record stays."""
    old = datetime.now(UTC) - timedelta(days=100)
    with serving(settings_for(data_root, BACKEND_KEEP_FREE_PERCENT=90)) as client:
        answer = client.post("/infer", data=FORM, files={"image": ("p.png", spoiled_disc(50))}).json()
        wait_until(lambda: client.get(f"/inspections/{answer['inspection_id']}/heatmap").status_code == 200)
        today = next((data_root / "inspections").glob("*/*/*"))
        then = data_root / "inspections" / f"{old:%Y}" / f"{old:%m}" / f"{old:%d}"
        then.mkdir(parents=True)
        for file in list(today.iterdir()):
            shutil.copy(file, then / file.name.replace(answer["inspection_id"][:8], f"{old:%Y%m%d}"))
        daily.drop_old_pictures(client.app.state.backend.upkeep)  # type: ignore[attr-defined]
        assert not then.exists()
        assert client.get(f"/inspections/{answer['inspection_id']}/image").status_code == 200
        assert client.get("/inspections").json()["total"] == 1
