"""`update-check`: freeze -> backup -> update -> verify -> release, the steps before and after the update, and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from service import __version__
from service.cli.client import connected
from service.cli.operations import FAILED, PASSED, restore, verify_table
from service.errors import InvalidField
from service.settings import Settings
from service.store.files import read_sealed, write_sealed

_FILE = "update.json"


@dataclass(frozen=True)
class Before:
    """State before the update, to compare with. `scores`: of each golden part."""

    version: str
    backup: str
    scores: dict[str, float]


def before(settings: Settings, console: Console) -> int:
    with connected(settings, console.print) as client:
        client.freeze(f"Update from version {__version__}")
        console.print("Training is frozen.")
        made = client.back_up()
        console.print(f"Backup: {made['name']}, read back and whole.")
        answer = client.verify()
    console.print(verify_table(answer))
    if not answer["passed"]:
        console.print(
            "[red]Do not update[/]: the version that runs does not pass. Mend that first; training is frozen."
        )
        return FAILED
    _warn_without_golden(console, answer)
    state = Before(__version__, made["name"], _scores(answer))
    write_sealed(settings.data_root / _FILE, asdict(state))
    console.print("[green]Update now[/], then run `brakedisc update-check after`.")
    return PASSED


def after(settings: Settings, console: Console) -> int:
    """Raises InvalidField when nothing was noted before."""
    state = _noted(settings)
    with connected(settings, console.print) as client:
        answer = client.verify()
        console.print(verify_table(answer), _score_table(state.scores, _scores(answer)))
        if not answer["passed"] or state.scores.keys() - _scores(answer).keys():
            console.print(
                f"[red]Not passed[/]: training stays frozen. Go back: install version {state.version} again, "
                f"then `brakedisc restore {state.backup}` and `brakedisc update-check after`."
            )
            return FAILED
        client.unfreeze()
    _warn_without_golden(console, answer)
    (settings.data_root / _FILE).unlink()
    console.print(f"[green]Passed[/]: {state.version} -> {__version__}. Training is released.")
    return PASSED


def back(settings: Settings, console: Console) -> int:
    """By the former version, installed again: its backup is restored, compared as after an update, and released.

    Raises InvalidField when nothing was noted before.
    """
    state = _noted(settings)
    restore(settings, console, state.backup)
    return after(settings, console)


def _warn_without_golden(console: Console, answer: dict[str, Any]) -> None:
    if not answer["n_golden"]:
        console.print("[yellow]No sample is marked as golden: nothing will say that verdicts are still right.[/]")


def _noted(settings: Settings) -> Before:
    try:
        return Before(**read_sealed(settings.data_root / _FILE))
    except FileNotFoundError:
        raise InvalidField("Nothing was noted before the update: run `brakedisc update-check before` first.") from None
    except (ValueError, TypeError) as error:
        raise InvalidField(f"{settings.data_root / _FILE} cannot be read ({error}): check by hand.") from error


def _scores(answer: dict[str, Any]) -> dict[str, float]:
    return {check["what"]: check["score"] for check in answer["checks"] if check["score"] is not None}


def _score_table(before: dict[str, float], now: dict[str, float]) -> Table:
    table = Table("golden part", "score before", "now", "difference", title="Scores")
    for what in sorted(before.keys() | now.keys()):
        old, new = before.get(what), now.get(what)
        difference = "" if old is None or new is None else f"{new - old:+.6f}"
        table.add_row(what, _shown(old), _shown(new), difference)
    return table


def _shown(score: float | None) -> str:
    return "-" if score is None else f"{score:.6f}"
