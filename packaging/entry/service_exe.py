"""BrakeDiscService.exe: the inspection service."""

from collections.abc import Callable

from start import run


def load() -> Callable[[], int | None]:
    from service.__main__ import main

    return main


if __name__ == "__main__":
    run("service", load)
