"""First steps of every executable: worker processes, streams where Windows gives none, and a crash that is logged
instead of shown in a box that nobody closes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

CRASHED = 70


def run(name: str, load: Callable[[], Callable[[], int | None]]) -> None:
    """Ends the process with what `load()()` returns; `load` imports the program, so that a failing import is told."""
    multiprocessing.freeze_support()
    _give_streams()
    try:
        code = load()()
    except SystemExit:
        raise
    except BaseException:
        _tell(name, traceback.format_exc())
        sys.exit(CRASHED)
    sys.exit(code)


def _give_streams() -> None:
    """A windowed program that nobody gave pipes has none, and the first that prints would fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # for as long as we live
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115


def _tell(name: str, text: str) -> None:
    print(text, file=sys.stderr)
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with open(folder / "crash.log", "a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC).isoformat()} {name}\n{text}\n")
            return
        except OSError:
            continue


def _folders() -> list[Path]:
    """The logs of the data root; without one, where a user may always write."""
    set_to = os.environ.get("BACKEND_DATA_ROOT")
    usual = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "BrakeDisc"
    own = Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "BrakeDisc"
    return [*([Path(set_to) / "logs"] if set_to else []), usual / "logs", own / "logs"]
