"""docs/SETUP.md and its Spanish twin tell every setting and its default, and the weights' hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from gui.settings import GuiSettings
from service.engine.weights_download import DOWNLOADS, KERAS_FILE, KERAS_SHA256, NPM_PACKAGE
from service.operations.configure import spanish as help_in_spanish
from service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "SETUP.md", DOCS / "es" / "SETUP.md"]
DATA_ROOT = r"`%ProgramData%\BrakeDisc` · `%LOCALAPPDATA%\BrakeDisc` · `~/.local/share/BrakeDisc`"


def settings_of_the_code(kind: type[BaseSettings] = Settings) -> list[tuple[str, str, str]]:
    """Name, default as it is shown, English help."""
    rows = []
    for field in kind.model_fields.values():
        assert isinstance(field.validation_alias, AliasChoices)
        name = str(field.validation_alias.choices[0])
        default = DATA_ROOT if name == "BACKEND_DATA_ROOT" else _shown(field.default)
        rows.append((f"`{name}`", default, field.description or ""))
    return rows


def _shown(default: object) -> str:
    if default in ("", None):
        return "—"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def settings_of(page: Path) -> list[tuple[str, ...]]:
    text = page.read_text(encoding="utf-8")
    table = re.split(r"<!-- settings: a test compares this table with \w+/settings.py -->\n", text)[1]
    lines = table.split("<!-- end of settings -->")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_english_table_is_the_code() -> None:
    assert settings_of(PAGES[0]) == settings_of_the_code()


def test_the_spanish_table_has_the_same_names_and_defaults() -> None:
    spanish = settings_of(PAGES[1])
    assert [row[:2] for row in spanish] == [row[:2] for row in settings_of_the_code()]
    assert {name.strip("`"): meaning for name, _, meaning in spanish} == help_in_spanish()
    assert [name for name, meaning in help_in_spanish().items() if not meaning] == []


def test_the_tables_of_the_screens_are_the_code() -> None:
    english, spanish = settings_of(DOCS / "gui.md"), settings_of(DOCS / "es" / "gui.md")
    assert english == settings_of_the_code(GuiSettings)
    assert [row[:2] for row in spanish] == [row[:2] for row in english]


@pytest.mark.parametrize("page", ["gui.md", "es/gui.md"])
def test_every_picture_of_the_screens_is_there_and_shown(page: str) -> None:
    text, language = (DOCS / page).read_text("utf-8"), "es" if page.startswith("es/") else "en"
    shown = {Path(name).name for name in re.findall(r"images/gui/([\w.-]+)", text)}
    assert shown == {path.name for path in (DOCS / "images" / "gui").glob(f"*-{language}.jpg")}


@pytest.mark.parametrize("page", PAGES, ids=["en", "es"])
def test_weights_are_told_with_file_address_and_hash(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"npm `{NPM_PACKAGE}`" in text
    assert f"| `{KERAS_SHA256}` |" in text.split(f"`{KERAS_FILE}`")[1].splitlines()[0]
    for name, source in DOWNLOADS.items():
        file = f"{name}-{source.sha256[:8]}.pth"
        assert f"| `{name}` | `{file}` | <{source.url}> | `{source.sha256}` |" in text
