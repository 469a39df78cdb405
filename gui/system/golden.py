"""Check that the golden parts still get the verdict that they must get."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import sheet
from gui.kit.widgets import anew, busy, button
from gui.system.tab import Tab, outcome
from service.contract.operations import VerifyAnswer, VerifyCheck


async def fetch(tab: Tab) -> Callable[[], None]:
    def draw() -> None:
        tab.title("golden")
        start = button(tab.say("check"), lambda: check(start, result), "check", icon="play_arrow")
        result = ui.column().classes("w-full gap-3").props("data-testid=check-result")

    async def check(start: ui.button, result: ui.column) -> None:
        with busy(start):
            found = await tab.tried(tab.client.send("POST", "/admin/verify", VerifyAnswer))
        if found:
            with anew(result):
                _result(tab, found)

    return draw


def _result(tab: Tab, found: VerifyAnswer) -> None:
    said = tab.say("check_passed" if found.passed else "check_failed")
    with ui.column().classes("card w-full gap-1"):
        ui.html(outcome(found.passed, said), sanitize=False).classes("text-h6")
        when = formats.date_and_time(found.checked_utc, tab.language)
        ui.label(tab.say("check_about", n=found.n_golden, when=when)).classes("muted")
        if not found.n_golden:
            ui.label(tab.say("no_golden")).classes("note")
        names = tab.columns("check_kind", "check_what", "check_result", "must_be", "verdict", "score", "detail")
        sheet(names, (_row(tab, check) for check in found.checks), "checks")


def _row(tab: Tab, check: VerifyCheck) -> list[str]:
    score = "–"
    if check.score is not None:
        score = f"{formats.number(check.score, tab.language)} / {formats.number(check.threshold, tab.language)}"
    result = outcome(check.passed, tab.say("passed" if check.passed else "failed"))
    verdicts = [check.expected or "–", check.verdict or "–"]
    return [tab.say(f"kind_{check.kind}"), check.what, result, *verdicts, score, check.detail]
