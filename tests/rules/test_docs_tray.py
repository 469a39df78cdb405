"""docs/tray.md and its Spanish twin tell every line of the menu and every setting; their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from tray.icon.menu import SEPARATOR, View, menu
from tray.settings import TraySettings
from tray.texts import Language, texts

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[Language, Path] = {"en": DOCS / "tray.md", "es": DOCS / "es" / "tray.md"}
languages = pytest.mark.parametrize("language", list(PAGES))


def rows(language: Language, first_cell: str) -> list[list[str]]:
    """The table whose head begins with `first_cell`, without its head."""
    lines = PAGES[language].read_text("utf-8").split(f"\n| {first_cell} |")[1].splitlines()[2:]
    table = lines[: next(index for index, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


@languages
def test_every_line_of_the_menu_is_told_in_its_order(language: Language) -> None:
    told = [row[0] for row in rows(language, {"en": "entry", "es": "entrada"}[language])][1:]  # after the state
    lines = [entry.text for entry in menu(View(language=language)) if entry != SEPARATOR][1:]
    whole = ", ".join(told).replace(", ", ",").lower()
    places = [whole.find(line.replace(", ", ",").lower()) for line in lines]
    assert min(places) >= 0, [line for line, place in zip(lines, places, strict=True) if place < 0]
    assert places == sorted(places)


@languages
def test_every_setting_is_told_with_its_default(language: Language) -> None:
    expected = []
    for field in TraySettings.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        help_text = field.description if language == "en" else None
        expected.append((f"`{field.validation_alias.choices[0]}`", f"`{default}`", help_text))
    told = rows(language, {"en": "name", "es": "nombre"}[language])
    shown = [(name, default, meaning if language == "en" else None) for name, default, meaning in told]
    assert shown == expected


@languages
def test_links_and_pictures_lead_somewhere(language: Language) -> None:
    page = PAGES[language]
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.is_file(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_both_pages_have_the_same_structure() -> None:
    def structure(page: Path) -> list[str]:
        lines = page.read_text("utf-8").splitlines()
        return [line.partition(" ")[0] for line in lines if line.startswith(("#", "|", "!"))]

    english, spanish = (structure(page) for page in PAGES.values())
    assert [mark[:3] for mark in english if mark[0] != "!"] == [mark[:3] for mark in spanish if mark[0] != "!"]
    assert len(english) == len(spanish)


def test_every_notification_is_told_about() -> None:
    notes = {key for key in texts() if key.startswith("note.")}
    assert notes == {
        "note.down",
        "note.back",
        "note.ng",
        "note.backup",
        "note.backup_copy",
        "note.disk",
        "note.gpu",
        "note.golden",
    }
    assert len(rows("en", "notification")) == len(notes) - 2  # down and back, backup and its copy share a row


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
