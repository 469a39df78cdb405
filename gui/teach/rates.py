"""The meaning of a threshold: false rejects and misses, with their 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from gui.kit.formats import number, percent
from gui.teach.desk import Desk
from service.contract.models import CalibrationAnswer


@dataclass(frozen=True)
class Measured:
    """One rate over `n` pictures."""

    name: str
    rate: float | None
    ci95: tuple[float, float] | None
    n: int


def measured(found: CalibrationAnswer) -> tuple[Measured, Measured]:
    return (
        Measured("false_rejects", found.false_reject_rate, found.false_reject_ci95, found.n_ok),
        Measured("misses", found.miss_rate, found.miss_ci95, found.n_ng),
    )


def show_rates(desk: Desk, found: CalibrationAnswer) -> None:
    threshold = number(found.threshold, desk.language, 3)
    ui.label(desk.words("teach.at_threshold", threshold=threshold)).classes("text-body1 muted number")
    for one in measured(found):
        with ui.column().classes("gap-0 w-full").props(f"data-testid={one.name.replace('_', '-')}"):
            ui.label(desk.words(f"teach.{one.name}")).classes("text-body1 text-weight-bold")
            ui.label(percent(one.rate, desk.language)).classes("text-h4 number").style("line-height: 1.2")
            ui.label(in_words(desk, one)).classes("number").style("font-size: 15px")


def in_words(desk: Desk, one: Measured) -> str:
    if one.rate is None or one.ci95 is None:
        return desk.words(f"teach.{one.name}_unknown")
    low, high = (percent(end, desk.language) for end in one.ci95)
    return desk.words("teach.interval", events=round(one.rate * one.n), n=one.n, low=low, high=high)
