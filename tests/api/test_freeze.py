"""While training is frozen nothing changes what is judged; who froze it is said, and a restart changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.store.audit.chain import verify
from service.store.state.freeze import Freezing
from tests.conftest import settings_for
from tests.kit.parts import ROI, assert_problem, audit_entries, calibrate, fit, infer, serving, state, upload

GOLDEN = {**ROI, "label": "ok", "filename": "20261123T071455123456-3f9a1c2d.png", "expected": "OK"}
REFUSED: dict[str, Callable[[TestClient], Any]] = {
    "fit": fit,
    "fit as a job": lambda c: c.post(
        "/fit_ok", data={**ROI, "mm_per_px": 0.5, "use_dataset": "true"}, headers={"Prefer": "respond-async"}
    ),
    "calibrate": calibrate,
    "calibrate the dataset": lambda c: c.post("/calibrate_dataset", json=ROI),
    "upload ok": upload,
    "upload ng": lambda c: upload(c, label="ng"),
    "delete": lambda c: c.delete("/datasets/file", params={**ROI, "label": "ok", "filename": GOLDEN["filename"]}),
    "clear": lambda c: c.delete("/datasets/clear", params={**ROI, "label": "ok"}),
    "from inspections": lambda c: c.post(
        "/datasets/ok/from_inspections", json={**ROI, "inspection_ids": ["20261123T071455123456-3f9a1c2d"]}
    ),
    "move": lambda c: c.post("/datasets/move", json={**ROI, "filename": GOLDEN["filename"], "label": "ok", "to": "ng"}),
    "golden": lambda c: c.put("/datasets/golden", json=GOLDEN),
    "activate": lambda c: c.post("/models/activate", json={**ROI, "model_version": 1}),
    "accept": lambda c: c.post("/models/accept", json={**ROI, "why": "trial"}),
    "rollback": lambda c: c.post("/models/rollback", json=ROI),
}


def freeze(client: TestClient, why: str = "audit of line 2") -> dict[str, Any]:
    answer = client.post("/admin/freeze", json={"why": why}, headers={"X-Station": "desk-7"})
    assert answer.status_code == 200
    result: dict[str, Any] = answer.json()
    return result


def what_there_is(client: TestClient) -> dict[str, Any]:
    return {**state(client), "request_id": ""}


@pytest.mark.parametrize("doing", REFUSED)
def test_what_would_change_a_verdict_is_refused_with_who_when_and_why(taught: TestClient, doing: str) -> None:
    frozen = freeze(taught)["frozen"]
    before = what_there_is(taught)
    assert_problem(REFUSED[doing](taught), 423, "anybody at desk-7", frozen["since_utc"], "audit of line 2", "unfreeze")
    assert what_there_is(taught) == before


def test_inspecting_backing_up_and_verifying_go_on(taught: TestClient) -> None:
    freeze(taught)
    assert infer(taught).json()["verdict"] == "OK"
    assert taught.post("/backups").status_code == 200
    assert taught.post("/admin/verify").json()["passed"] is True


def test_it_is_shown_survives_a_restart_and_ends_when_released(data_root: Path) -> None:
    with serving(settings_for(data_root)) as client:
        freeze(client)
    with serving(settings_for(data_root)) as client:
        health = client.get("/health").json()
        assert health["training_frozen"] is True
        assert health["status"] == "ok"
        assert {**health["frozen"], "since_utc": ""} == {
            "by": "anybody", "station": "desk-7", "since_utc": "", "why": "audit of line 2",
        }  # fmt: skip
        assert_problem(upload(client), 423)
        assert client.post("/admin/unfreeze").json() | {"request_id": ""} == {
            "request_id": "", "training_frozen": False, "frozen": None,
        }  # fmt: skip
        assert upload(client).status_code == 200
        assert client.get("/health").json()["frozen"] is None


def test_a_fit_that_was_under_way_is_not_published(taught: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen between the start of the fit and its end."""
    from service.teaching import fit as teaching

    fit_really = teaching.patchcore.fit

    def frozen_meanwhile(*arguments: Any) -> Any:
        fitted = fit_really(*arguments)
        freeze(taught)
        return fitted

    monkeypatch.setattr(teaching.patchcore, "fit", frozen_meanwhile)
    assert_problem(fit(taught), 423)
    assert state(taught)["versions"] == [1]


def test_a_freeze_that_cannot_be_read_holds(data_root: Path) -> None:
    (data_root / "freeze.json").write_text("{}")
    with serving(settings_for(data_root)) as client:
        assert_problem(upload(client), 423, "freeze.json cannot be read")
        assert client.get("/health").json()["training_frozen"] is True
        client.post("/admin/unfreeze")
        assert upload(client).status_code == 200


def test_a_freeze_needs_a_reason(taught: TestClient) -> None:
    assert_problem(taught.post("/admin/freeze", json={"why": ""}), 422)
    assert_problem(taught.post("/admin/freeze", json={}), 422)


def test_the_name_of_the_key_says_who_froze(settings: Settings, data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_API_KEY="quality:s3cret")) as client:
        client.headers["X-API-Key"] = "s3cret"
        assert freeze(client)["frozen"]["by"] == "quality"
    assert Freezing(settings.data_root).frozen() is not None


def test_whoever_changes_something_is_in_the_audit_log_with_the_old_and_the_new_value(data_root: Path) -> None:
    with serving(settings_for(data_root, BACKEND_API_KEY="quality:s3cret")) as client:
        client.headers |= {"X-API-Key": "s3cret", "X-Station": "desk-7", "X-Request-Id": "r-1"}
        sample = upload(client, 2).json()["files"][0]
        client.put("/datasets/golden", json={**GOLDEN, "filename": sample})
        fit(client)
        threshold = calibrate(client).json()["threshold"]
        client.post("/models/rollback", json=ROI)
        client.post("/models/activate", json={**ROI, "model_version": 2})
        client.delete("/datasets/file", params={**ROI, "label": "ok", "filename": sample})
        client.delete("/datasets/clear", params={**ROI, "label": "ok"})
        freeze(client)
        client.post("/admin/unfreeze")
    found = [entry for entry in audit_entries(data_root) if entry.request_id == "r-1"]
    assert [entry.action for entry in found] == [
        "dataset_add", "golden", "fit", "calibrate", "rollback", "activate", "dataset_delete", "dataset_clear",
        "freeze", "unfreeze",
    ]  # fmt: skip
    assert {(entry.by, entry.station) for entry in found} == {("quality", "desk-7")}
    added, golden, fitted, calibrated, rolled, activated, deleted, cleared, _, _ = found
    assert added.new["files"][0] == sample == deleted.old["files"][0]
    assert (golden.old, golden.new) == (None, "OK")
    assert (fitted.old, fitted.new) == ({"model_version": 1}, {"model_version": 2, "active": True, "n_images": 4})
    assert (calibrated.old, calibrated.new["threshold"]) == (None, threshold)
    assert (rolled.old["model_version"], rolled.new["model_version"]) == (2, 1)
    assert (activated.old["model_version"], activated.new["model_version"]) == (1, 2)
    assert len(cleared.old["files"]) == 1
    assert verify(data_root / "logs" / "audit.jsonl").problem is None
    assert "s3cret" not in (data_root / "logs" / "audit.jsonl").read_text()


def test_changed_settings_and_keys_are_noted_at_the_next_start(data_root: Path) -> None:
    def noted(**settings: object) -> list[tuple[str, Any, Any]]:
        before = len(audit_entries(data_root))
        with serving(settings_for(data_root, **settings)):
            pass
        return [(entry.action, entry.old, entry.new) for entry in audit_entries(data_root)][before:]

    noted()
    assert noted() == []
    assert noted(BACKEND_ARCHIVE_OK_EVERY=5) == [("settings", {"archive_ok_every": 20}, {"archive_ok_every": 5})]
    (key,) = noted(BACKEND_ARCHIVE_OK_EVERY=5, BACKEND_API_KEY="line-2:s3cret")
    assert (key[0], key[1]) == ("keys", {"line-2": None})
    (other,) = noted(BACKEND_ARCHIVE_OK_EVERY=5, BACKEND_API_KEY="line-2:another")
    assert other[1]["line-2"] != other[2]["line-2"]
    assert "s3cret" not in (data_root / "logs" / "audit.jsonl").read_text()
