"""Versions of the programs and packages, and their licences."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import Distribution, distributions

from nicegui import run, ui

from gui.kit.tables import facts, sheet
from gui.system.tab import Tab
from service import __version__

_LONGEST = 60  # characters; a longer one is the text of a licence, not its name


async def fetch(tab: Tab) -> Callable[[], None]:
    health = await tab.health()
    packages = await run.io_bound(_packages)

    def draw() -> None:
        tab.title("about")
        with ui.column().classes("card w-full"):
            names, device = ("version_gui", "version_service", "fact_model", "fact_device"), health.device_name
            values = (__version__, health.version, health.model, device or health.device)
            facts(zip(map(tab.say, names), values, strict=True))
        with ui.expansion(tab.say("licences"), icon="gavel").classes("card w-full").props("data-testid=licences"):
            sheet(tab.columns("package", "package_version", "licence"), packages or [], "packages")

    return draw


def _packages() -> list[tuple[str, str, str]]:
    """Name, version and licence of each installed package; the full licence lies beside the package."""
    named = [package for package in distributions() if package.metadata["Name"]]
    found = {(package.metadata["Name"], package.version, licence(package)) for package in named}
    return sorted(found, key=lambda row: row[0].lower())


def licence(package: Distribution) -> str:
    """The SPDX expression, or the name the package gives. Some paste the whole text there: then its first line."""
    told = _one(package, "License-Expression") or _one(package, "License")
    named = [
        item.rpartition(" :: ")[2] for item in package.metadata.get_all("Classifier") or [] if "License ::" in item
    ]
    first = told.strip().partition("\n")[0]
    return first if first and len(first) <= _LONGEST else ", ".join(named) or first[:_LONGEST] or "–"


def _one(package: Distribution, name: str) -> str:
    return next(iter(package.metadata.get_all(name) or []), "")
