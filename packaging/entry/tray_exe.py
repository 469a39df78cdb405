"""BrakeDiscTray.exe: the supervisor and its icon."""

from collections.abc import Callable

from start import run


def load() -> Callable[[], int | None]:
    from tray.__main__ import main

    return main


if __name__ == "__main__":
    run("tray", load)
