"""What a threshold means: false rejects and misses, with what can be said for sure."""

from __future__ import annotations

from nicegui import ui

from gui.formats import number, percent
from gui.screens.teach_desk import Desk
from service.contract import CalibrationAnswer


def show_rates(desk: Desk, found: CalibrationAnswer) -> None:
    threshold = number(found.threshold, desk.language, 3)
    ui.label(desk.say("at_threshold", threshold=threshold)).classes("text-body1 muted number")
    for key, rate, ci95, n in (
        ("false_rejects", found.false_reject_rate, found.false_reject_ci95, found.n_ok),
        ("misses", found.miss_rate, found.miss_ci95, found.n_ng),
    ):
        with ui.column().classes("gap-0 w-full").props(f"data-testid={key.replace('_', '-')}"):
            ui.label(desk.say(key)).classes("text-body1 text-weight-bold")
            ui.label(percent(rate, desk.language)).classes("text-h4 number").style("line-height: 1.2")
            ui.label(rate_in_words(desk, rate, ci95, n, key)).classes("number").style("font-size: 15px")


def rate_in_words(desk: Desk, rate: float | None, ci95: tuple[float, float] | None, n: int, key: str) -> str:
    if rate is None or ci95 is None:
        return desk.say(f"{key}_unknown")
    low, high = (percent(end, desk.language) for end in ci95)
    return desk.say("interval", events=round(rate * n), n=n, low=low, high=high)
