"""The tray's words: every text in both languages, and which language is spoken."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path

import pytest

from tray import language as languages
from tray.icon.menu import View, menu
from tray.texts import LANGUAGES, reason, refusal, text, texts

TRAY = Path(__file__).parents[2] / "tray"


def placeholders(words: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(words) if field is not None}


@pytest.mark.parametrize("key", texts())
def test_both_languages_say_the_same_thing_with_the_same_values(key: str) -> None:
    english, spanish = (texts()[key][language] for language in LANGUAGES)
    assert english.strip()
    assert spanish.strip()
    assert placeholders(english) == placeholders(spanish)


def test_a_text_that_is_the_same_in_both_languages_is_meant_to_be() -> None:
    assert {key for key, words in texts().items() if words["en"] == words["es"]} == {
        "product",
        "tip.gpu",
        "tip.latency",
        "no",
    }


def test_every_key_that_the_code_names_exists_and_every_text_is_used() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in TRAY.rglob("*.py") if path.name != "texts.py"]
    named = {
        node.value for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    families = {name.partition(".")[0] for name in texts() if "." in name}
    keys = {name for name in named if name.partition(".")[0] in families and name[-1:].isalpha()}
    keys = {name for name in keys if "." in name and not name.endswith((".json", ".log", ".txt"))}
    assert keys - set(texts()) == set()
    composed = ("code.", "state.", "menu.", "busy.", "ask.", "failed.")  # f"menu.{action}"
    assert {key for key in texts() if key not in named and not key.startswith(composed)} <= {"product"}


def test_every_action_of_the_menu_that_can_be_busy_or_fail_has_its_words() -> None:
    entries = menu(View())
    actions = {
        entry.action for entry in (*entries, *(sub for entry in entries for sub in entry.entries)) if entry.action
    }
    assert {f"menu.{action}" for action in actions | {"restore", "unfreeze"}} <= set(texts())


def test_codes_are_translated_and_new_ones_said_in_english() -> None:
    assert reason("es", "disk_low", "x") == "el disco está casi lleno"
    assert reason("es", "never_heard_of", "The lens is dirty.") == "The lens is dirty."
    assert refusal("en", "training_frozen", "x") == "Training is frozen."
    assert refusal("es", "never_heard_of", "No.") == "No."


def test_a_missing_value_is_an_error_and_not_a_hole_in_the_sentence() -> None:
    with pytest.raises(KeyError):
        text("en", "state.down")


def test_a_choice_in_the_menu_counts_more_than_the_setting(tmp_path: Path) -> None:
    assert languages.language_of("es", tmp_path) == "es"
    languages.choose(tmp_path, "en")
    assert languages.language_of("es", tmp_path) == "en"


@pytest.mark.parametrize(
    "damaged", ["", "{", "[]", json.dumps({"language": "fr"}), json.dumps({"language": 3}), "\xff"]
)
def test_a_damaged_choice_is_no_choice(tmp_path: Path, damaged: str) -> None:
    (tmp_path / languages.CHOICE).write_text(damaged, "latin-1")
    assert languages.language_of("es", tmp_path) == "es"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "es_ES.UTF-8", "LANG": "en_US"}, "es"),
        ({"LC_ALL": "C", "LANG": "es_ES"}, "en"),
        ({}, "en"),
    ],
)
def test_auto_is_the_systems_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert languages.language_of("auto", tmp_path) == language


def test_both_languages_are_offered() -> None:
    assert set(LANGUAGES) == {"en", "es"}
