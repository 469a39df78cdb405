"""One list of codes: everything an error or /health can say is said somewhere, and translated everywhere."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import service.errors
from service.errors import Problem, known_codes
from tray.texts import texts

ROOT = Path(__file__).parents[2]
SERVICE = {path: ast.parse(path.read_text("utf-8")) for path in (ROOT / "service").rglob("*.py")}
GUI = "\n".join(path.read_text("utf-8") for path in (ROOT / "gui").rglob("*.py"))
TRAY = "\n".join(path.read_text("utf-8") for path in (ROOT / "tray").rglob("*.py") if path.name != "texts.py")


def problems(language: str) -> set[str]:
    return set(json.loads((ROOT / "gui" / "texts" / language / "problems.json").read_text("utf-8")))


def test_every_error_is_a_class_of_the_one_list_and_raised_somewhere() -> None:
    here = {name for name, value in vars(service.errors).items() if isinstance(value, type)}
    elsewhere = {
        node.name for path, tree in SERVICE.items() if path.name != "errors.py" for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and {getattr(base, "id", "") for base in node.bases} & here
    }  # fmt: skip
    assert elsewhere == set()
    used = {
        node.id for path, tree in SERVICE.items() if path.name != "errors.py" for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    }  # fmt: skip
    assert {name for name in here if issubclass(getattr(service.errors, name), Problem)} - used == set()


def test_every_code_of_health_is_said_somewhere() -> None:
    said = {
        node.value for path, tree in SERVICE.items() if path.name != "errors.py" for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    of_classes = {name.code for name in vars(service.errors).values() if isinstance(name, type) and name is not type}
    assert known_codes() - of_classes - said == set()


def test_the_screens_translate_every_code_and_none_that_nobody_says() -> None:
    assert problems("en") == problems("es")
    assert known_codes() - problems("en") == set()
    assert {code for code in problems("en") - known_codes() if f'"{code}"' not in GUI} <= {"other"}


def test_the_icon_translates_what_health_says_and_none_that_nobody_says() -> None:
    translated = {key.removeprefix("code.") for key in texts() if key.startswith("code.")}
    assert {code for code in translated - known_codes() if f'"{code}"' not in TRAY} == set()
    assert {"loading", "data_root_closed", "data_root_gone", "disk_low", "restore_not_verified", "golden_failed"} <= (
        translated
    )
