"""BrakeDiscService.exe: the inspection service. Its port answers before the bulk of it is imported."""

from collections.abc import Callable

from start import run


def load() -> Callable[[], int | None]:
    from service.process.port import PortTaken
    from service.process.starting import Early
    from service.settings import SettingsError, read_settings

    try:
        early = Early(read_settings())
    except (PortTaken, SettingsError):  # told by the program itself
        early = None
    from service.__main__ import main

    return lambda: main(early=early)


if __name__ == "__main__":
    run("service", load)
