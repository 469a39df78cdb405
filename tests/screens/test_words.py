"""Every word in both languages, with the same keys and placeholders; every key that the code uses is there."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest

from gui.kit import formats
from gui.kit.words import FOLDER, Words, table
from gui.language import LANGUAGES

GUI = FOLDER.parent
SECTIONS = sorted(path.stem for path in (FOLDER / "en").glob("*.json"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_files() -> None:
    assert {language: sorted(path.name for path in (FOLDER / language).iterdir()) for language in LANGUAGES} == {
        language: [f"{section}.json" for section in SECTIONS] for language in LANGUAGES
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_both_languages_have_the_same_keys_and_placeholders(section: str) -> None:
    english, spanish = (
        json.loads((FOLDER / language / f"{section}.json").read_text("utf-8")) for language in ("en", "es")
    )
    assert list(english) == list(spanish)
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in spanish.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in table(language).items() if not text.strip()] == []  # type: ignore[arg-type]


def test_every_key_that_the_code_names_exists() -> None:
    """Literal keys; those put together from a value are tried by the tests of their screens."""
    known, missing = set(table("en")), []
    for path in GUI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            key = node.args[0].value
            if (
                name in ("words", "_words", "text")
                and isinstance(key, str)
                and re.fullmatch(r"[a-z_]+\.[a-z0-9_.]+", key)
            ):
                missing += [] if key in known else [f"{path.name}: {key}"]
    assert missing == []


def test_no_text_is_left_that_nobody_shows() -> None:
    code = "\n".join(path.read_text("utf-8") for path in GUI.rglob("*.py"))
    unused = []
    for key in table("en"):
        section, _, name = key.partition(".")
        stems = [f"{section}.{name}", *(f"{section}.{name[:i]}" + "{" for i in range(len(name)))]
        if section != "problems" and not any(stem in code for stem in stems):
            unused.append(key)
    assert unused == []


def test_an_error_that_nobody_knows_is_shown_as_the_service_said_it() -> None:
    assert Words(lambda: "es").problem("new_code", "El detalle.") == "Algo salió mal: El detalle."
    assert "GPU" in Words(lambda: "en").problem("device_lost", "x")


def test_every_error_code_of_the_service_has_a_sentence() -> None:
    codes = set()
    for path in (GUI.parent / "service").rglob("*.py"):
        codes |= set(re.findall(r'code, title = (?:\d+, )?"([a-z_]+)"', path.read_text("utf-8")))
    assert {code for code in codes if f"problems.{code}" not in table("en")} == set()


@pytest.mark.parametrize(
    ("language", "shown"), [("en", ["1,234.50", "12.3 mm²", "0.1 %"]), ("es", ["1.234,50", "12,3 mm²", "0,1 %"])]
)
def test_numbers_are_written_as_the_language_writes_them(language: str, shown: list[str]) -> None:
    written = [
        formats.number(1234.5, language),  # type: ignore[arg-type]
        formats.area(12.34, language),  # type: ignore[arg-type]
        formats.percent(0.001, language),  # type: ignore[arg-type]
    ]
    assert written == shown


def test_what_is_not_known_is_a_dash() -> None:
    assert [formats.number(None, "en"), formats.percent(None, "es"), formats.time_of_day(None)] == ["–", "–", "–"]


def test_sizes_have_units() -> None:
    assert [formats.size(n, "en") for n in (12, 3400, 5_600_000, 7.8e9, 9.1e12)] == [
        "12 B", "3 kB", "5.6 MB", "7.8 GB", "9,100.0 GB",
    ]  # fmt: skip


def test_folder_of_texts_is_found() -> None:
    assert Path(FOLDER).is_dir()
