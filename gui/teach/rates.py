"""The meaning of a threshold: false rejects and misses that were measured, or why they were not, and plain counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nicegui import ui

from gui.kit.formats import number, percent
from gui.kit.words import Words
from gui.teach.desk import Desk
from service.contract.models import CalibrationAnswer

Level = Literal["fine", "high", "very_high"]
# Misses from 5 % on are more than the pictures of a plant are asked to disprove; one in five is no inspection.
HIGH_MISSES, VERY_HIGH = 0.05, 0.20
ICONS = {"high": ("warning", "text-warning"), "very_high": ("dangerous", "text-negative")}


@dataclass(frozen=True)
class Measured:
    """One rate over `n` pictures. `rate` None: not measured, because of `reason`. `count` of these very pictures are
    judged wrongly at the threshold, None when the service does not say. More than `high` is too much."""

    name: str
    rate: float | None
    ci95: tuple[float, float] | None
    n: int
    count: int | None
    high: float
    reason: str

    @property
    def level(self) -> Level:
        if self.rate is None:
            return "fine"
        return "very_high" if self.rate > VERY_HIGH else "high" if self.rate > self.high else "fine"


def measured(found: CalibrationAnswer) -> tuple[Measured, Measured]:
    twice_promised = 2 * (1 - found.score_percentile / 100)
    return (
        Measured(
            "false_rejects", found.false_reject_rate, found.false_reject_ci95, found.n_ok, found.n_ok_rejected,
            twice_promised, _reason(found, "false_rejects", found.n_ok),
        ),
        Measured(
            "misses", found.miss_rate, found.miss_ci95, found.n_ng, found.n_ng_missed,
            HIGH_MISSES, _reason(found, "misses", found.n_ng),
        ),
    )  # fmt: skip


def _reason(found: CalibrationAnswer, name: str, n: int) -> str:
    """Key of the sentence that says why a rate was not measured."""
    if n == 0:
        return f"teach.{name}_none"
    return "teach.chosen_by_them" if found.method == "manual" else "teach.too_few_parts"


def show_rates(desk: Desk, found: CalibrationAnswer) -> None:
    threshold = number(found.threshold, desk.language, 3)
    ui.label(desk.words("teach.at_threshold", threshold=threshold)).classes("text-body1 muted number")
    for one in measured(found):
        with ui.column().classes("gap-0 w-full").props(f"data-testid={one.name.replace('_', '-')}"):
            ui.label(desk.words(f"teach.{one.name}")).classes("text-body1 text-weight-bold")
            _show_value(desk, one)
            for sentence in sentences(desk.words, one):
                ui.label(sentence).classes("number").style("font-size: 15px")


def _show_value(desk: Desk, one: Measured) -> None:
    """In colour, with an icon and a word: a rate that is bad must not look like one that is good."""
    icon, colour = ICONS.get(one.level, ("", ""))
    with ui.row().classes(f"items-center no-wrap gap-2 {colour}").props(f"data-level={one.level}"):
        size = "text-h5" if one.rate is None else "text-h4"
        ui.label(value(desk.words, one)).classes(f"{size} number").style("line-height: 1.2")
        if icon:
            ui.icon(icon, size="28px").style("flex: none")
            ui.label(desk.words(f"teach.{one.level}")).classes("text-weight-bold")


def value(words: Words, one: Measured) -> str:
    return words("teach.not_measured") if one.rate is None else percent(one.rate, words.language)


def sentences(words: Words, one: Measured) -> list[str]:
    """What the rate rests on, and what the threshold does to these very pictures."""
    if one.rate is None or one.ci95 is None:
        said = [words(one.reason)]
    else:
        low, high = (percent(end, words.language) for end in one.ci95)
        said = [words("teach.interval", low=low, high=high)]
    if one.n and one.count is not None:
        said.append(words(f"teach.{one.name}_count", count=one.count, n=one.n))
    return said
