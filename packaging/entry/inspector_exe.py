"""BrakeDiscInspector.exe: the screens."""

from collections.abc import Callable

from start import run


def load() -> Callable[[], int | None]:
    from gui.__main__ import main

    return main


if __name__ == "__main__":
    run("inspector", load)
