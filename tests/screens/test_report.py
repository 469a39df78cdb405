"""The shift report, read back: what a quality engineer finds in the PDF, in both languages."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from gui.history.pareto import pareto
from gui.history.report import shift_report
from gui.history.report_data import ReportData, RoiReport
from gui.kit.words import Words
from gui.language import Language
from gui.periods import Period
from gui.service.history import Choice
from service.contract.frames import FramesSummary
from service.contract.inspections import Drift, InspectionSummary, RoiSummary, TrendPoint
from tests.kit.parts import disc

NOW = datetime(2026, 3, 4, 14, 5, tzinfo=UTC)
SINCE = NOW - timedelta(hours=8)
CALIBRATION = {
    "threshold": 0.3344, "false_reject_rate": 0.0125, "false_reject_ci95": [0.004, 0.06], "miss_rate": None,
    "miss_ci95": None, "n_ok": 80, "n_ng": 0,
}  # fmt: skip


def roi(name: str, n_ng: int, *, drifts: bool = False) -> RoiSummary:
    return RoiSummary(
        role_id="disco", roi_id=name, n=100, n_ok=100 - n_ng, n_ng=n_ng, score_mean=0.2, score_p95=0.31,
        threshold=0.3344, calibrated_ok_mean=0.15, drift=Drift(ratio=1.73, warning=drifts),
    )  # fmt: skip


def ng(number: int, part_id: str = "") -> InspectionSummary:
    return InspectionSummary(
        inspection_id=f"id{number}", time_utc=SINCE.isoformat(), role_id="disco", roi_id="anillo",
        part_id=part_id or f"P-{number:04}", verdict="NG", score=1.25, threshold=0.3344, model_version=3, n_regions=1,
    )  # fmt: skip


def data(worst: list[InspectionSummary] | None = None, **changes: object) -> ReportData:
    listed = [ng(1)] if worst is None else worst
    trend = [
        TrendPoint(
            start_utc=(SINCE + timedelta(hours=hour)).isoformat(), role_id="disco", roi_id="anillo", n=10, n_ng=1,
            score_mean=0.2, score_max=1.25,
        )
        for hour in range(8)
    ]  # fmt: skip
    rois = [RoiReport(roi("anillo", 3, drifts=True), 3, CALIBRATION), RoiReport(roi("cubo", 12))]
    values = {
        "choice": Choice(Period(SINCE, NOW), "disco"), "station": "Línea 2", "version": "1.2.0", "device": "RTX 4000",
        "rois": rois, "trend": trend, "worst": listed, "thumbnails": {one.inspection_id: disc(1) for one in listed},
        "frames": FramesSummary(n=100, n_ok=85, n_ng=14, n_error=1, by_roi=[], by_hour=[]), **changes,
    }  # fmt: skip
    return ReportData(**values)  # type: ignore[arg-type]


def read(pdf: bytes) -> list[str]:
    """Text of each page, words divided by single spaces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("es", ("Informe de turno", "Estación Línea 2", "Período", "sin veredicto 1", "1,2 % (0,4 % – 6,0 %)",
                "0,33", "Defectos no detectados", "Evolución de las puntuaciones", "1,73 veces", "Página 1 de")),
        ("en", ("Shift report", "Station Línea 2", "without verdict 1", "1.2 % (0.4 % – 6.0 %)", "0.33",
                "Missed defects", "Trend of the scores", "1.73 times", "Page 1 of")),
    ],
)  # fmt: skip
def test_it_says_who_when_with_what_and_what_is_proved(language: str, said: tuple[str, ...]) -> None:
    text = " ".join(read(shift_report(data(), Words(lambda: language), NOW)))  # type: ignore[arg-type, return-value]
    assert [words for words in (*said, "RTX 4000", "1.2.0", "P-0001", "disco / cubo") if words not in text] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("not measured", "3 · provisional", "4 · provisional, accepted by ana", "5 · calibrated the old way",
                "did not set; intervals go by parts")),
        ("es", ("no medido", "3 · provisional", "4 · provisional, aceptada por ana",
                "5 · calibrada a la manera antigua", "los intervalos van por piezas")),
    ],
)  # fmt: skip
def test_a_rate_that_was_not_measured_and_a_provisional_version_are_told(language: Language, said: tuple[str]) -> None:
    few = {**CALIBRATION, "provisional": True, "accepted": None}
    accepted = {**few, "accepted": {"by": "ana", "station": "", "utc": "", "why": "measured by hand"}}
    rois = [
        RoiReport(roi("anillo", 3), 3, few), RoiReport(roi("cubo", 2), 4, accepted),
        RoiReport(roi("taladro", 1), 5, CALIBRATION, old_calibration=True),
    ]  # fmt: skip
    text = " ".join(read(shift_report(data(rois=rois), Words(lambda: language), NOW)))
    assert [words for words in said if words not in text] == []


def test_many_ng_parts_go_over_pages_that_are_numbered_with_their_pictures() -> None:
    pdf = shift_report(data([ng(number) for number in range(60)]), Words(lambda: "en"), NOW)
    pages = read(pdf)
    assert len(pages) > 3
    assert [f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1)] == [True] * len(pages)
    assert "P-0059" in " ".join(pages)
    assert sum(len(page.images) for page in PdfReader(io.BytesIO(pdf)).pages) >= 1


def test_ng_parts_that_are_left_out_are_counted() -> None:
    assert "14 more are not listed" in " ".join(read(shift_report(data(), Words(lambda: "en"), NOW)))


def test_a_period_without_inspections_says_so() -> None:
    text = " ".join(read(shift_report(data([], rois=[], trend=[], frames=None), Words(lambda: "es"), NOW)))
    assert "En este período no se inspeccionó nada" in text
    assert "Sin piezas NG" in text


def test_part_ids_with_markup_other_scripts_and_broken_pictures_do_not_stop_the_report() -> None:
    odd = data([ng(1, "<b>&'\"</i>"), ng(2, "零件-7"), ng(3, "X" * 600)], thumbnails={"id1": b"no picture", "id2": b""})
    text = " ".join(read(shift_report(odd, Words(lambda: "en"), NOW)))
    assert "<b>&'\"</i>" in text
    assert "??-7" in text


def test_a_single_point_of_a_trend_is_drawn() -> None:
    one = data(trend=data().trend[:1])
    assert "disco / anillo" in " ".join(read(shift_report(one, Words(lambda: "en"), NOW)))


def test_pareto_begins_with_the_region_that_costs_most_and_adds_up() -> None:
    bars = pareto([roi("a", 3), roi("b", 12), roi("c", 0)])
    assert [(bar.name, bar.n_ng) for bar in bars] == [("disco / b", 12), ("disco / a", 3)]
    assert [bar.cumulated for bar in bars] == [0.8, 1.0]
