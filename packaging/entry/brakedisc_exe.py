"""brakedisc.exe: the command line, in a console."""

import sys
from collections.abc import Callable

from start import run

# For setup: a windowed program that is damaged says so in a box that nobody closes, this one on its console.
STOP = ["stop-everything"]


def load() -> Callable[[], int | None]:
    if sys.argv[1:] == STOP:
        from tray.single.commands import stop

        return stop
    from service.cli import main

    return main


if __name__ == "__main__":
    run("brakedisc", load)
