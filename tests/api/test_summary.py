"""How a period went: counts, percentile, trend and drift, over records whose scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.contract.models import Calibration
from service.inspection.history import drift
from service.store.records.inspections import Record, new_inspection_id
from tests.kit.parts import ROI, assert_problem, calibrate, fit

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def record(
    client: TestClient, scores: Sequence[float], roi_id: str = "ring", every_s: float = 60, threshold: float = 1.0,
    version: int = 1,
) -> None:  # fmt: skip
    """One inspection after the other, from noon on."""
    records = client.app.state.backend.kept.records  # type: ignore[attr-defined]
    for number, score in enumerate(scores):
        when = NOON + timedelta(seconds=every_s * number)
        verdict = "NG" if score >= threshold else "OK"
        records.add(
            Record(
                new_inspection_id(when), when.isoformat(), "disc", roi_id, f"P{number}", verdict, score, threshold,
                version, 0.25, "r", None, "0", None,
            )
        )  # fmt: skip


def summary(client: TestClient, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/inspections/summary", params=query).json()
    return found


def test_nothing_inspected_is_nothing_to_sum_up(client: TestClient) -> None:
    assert summary(client)["rois"] == []
    assert summary(client, since="2026-01-01")["trend"] == []


def test_each_roi_is_counted_with_mean_and_95th_percentile(client: TestClient) -> None:
    record(client, [number / 100 for number in range(1, 101)], threshold=0.96)
    record(client, [0.5, 2.0], roi_id="hub")
    hub, ring = summary(client)["rois"]
    assert [hub[name] for name in ("roi_id", "n", "n_ok", "n_ng")] == ["hub", 2, 1, 1]
    assert [ring[name] for name in ("roi_id", "n", "n_ok", "n_ng")] == ["ring", 100, 95, 5]
    assert ring["score_mean"] == pytest.approx(0.505)
    assert ring["score_p95"] == 0.95
    assert ring["threshold"] == 0.96
    assert ring["drift"] is None  # never taught
    assert [roi["roi_id"] for roi in summary(client, roi_id="hub")["rois"]] == ["hub"]
    assert [roi["n"] for roi in summary(client, since="2026-11-20T12:30:00Z")["rois"]] == [70]


def test_the_trend_cuts_the_period_into_equal_parts(client: TestClient) -> None:
    record(client, [0.1, 0.2, 0.3, 1.5], every_s=900)
    asked = {"since": "2026-11-20T12:00:00Z", "before": "2026-11-20T13:00:00Z", "buckets": 2}
    first, second = summary(client, **asked)["trend"]
    assert (first["start_utc"], first["n"], first["n_ng"]) == ("2026-11-20T12:00:00+00:00", 2, 0)
    assert (second["start_utc"], second["n"], second["n_ng"]) == ("2026-11-20T12:30:00+00:00", 2, 1)
    assert (second["score_mean"], second["score_max"]) == (pytest.approx(0.9), 1.5)
    assert sum(point["n"] for point in summary(client)["trend"]) == 4
    backwards = {"since": "2026-11-20T13:00:00Z", "before": "2026-11-20T12:00:00Z"}
    assert summary(client, **backwards)["trend"] == []
    assert_problem(client.get("/inspections/summary", params={"buckets": 0}), 422)


def test_good_parts_that_score_otherwise_than_at_the_calibration_are_a_warning(client: TestClient) -> None:
    fit(client, 6)
    ok_scores = [0.4 + 0.01 * number for number in range(20)]
    assert calibrate(client, ok_scores=ok_scores, threshold=1.0).status_code == 200
    expected = client.get("/manifest", params=ROI).json()["calibration"]["ok_mean"]
    assert expected == pytest.approx(0.495)

    def told(scores: Sequence[float], roi: str = "ring", version: int = 1) -> Any:
        backend = client.app.state.backend  # type: ignore[attr-defined]
        with backend.kept.database.begin() as connection:
            connection.exec_driver_sql("DELETE FROM inspections")
        record(client, scores, roi, version=version)
        return summary(client)["rois"][0]["drift"]

    assert told([0.5] * 19) is None  # too few to tell
    assert told([0.5] * 40) == {"ratio": pytest.approx(0.5 / 0.495), "warning": False}
    assert told([0.6] * 40 + [3.0] * 10) == {"ratio": pytest.approx(0.6 / 0.495), "warning": True}
    assert told([0.3] * 40)["warning"] is True  # a blurred picture shows less, and defects are missed
    assert told([0.6] * 40, version=7) is None  # another version's scores are not comparable


def test_a_calibration_whose_good_parts_all_score_nothing_has_a_drift_too() -> None:
    still = Calibration.model_construct(ok_mean=0.0, p99_ok=0.0)
    assert drift(0.0, still).warning is False
    assert drift(0.1, still).warning is True


def test_inspections_are_found_by_score_and_ordered(client: TestClient) -> None:
    record(client, [0.3, 0.9, 0.1, 1.4])

    def found(**query: Any) -> list[float]:
        return [one["score"] for one in client.get("/inspections", params=query).json()["inspections"]]

    assert found(order="score") == [1.4, 0.9, 0.3, 0.1]
    assert found(order="oldest") == [0.3, 0.9, 0.1, 1.4]
    assert found() == [1.4, 0.1, 0.9, 0.3]
    assert found(min_score=0.3, max_score=0.9) == [0.9, 0.3]
    csv = client.get("/inspections", params={"format": "csv", "min_score": 1}).text.splitlines()
    assert len(csv) == 2
