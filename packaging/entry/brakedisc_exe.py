"""brakedisc.exe: the command line, in a console."""

from collections.abc import Callable

from start import run


def load() -> Callable[[], int | None]:
    from service.cli import main

    return main


if __name__ == "__main__":
    run("brakedisc", load)
