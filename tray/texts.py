"""The texts of the tray, in English and Spanish."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")
NAMES: Mapping[Language, str] = {"en": "English", "es": "Español"}


@cache
def texts() -> Mapping[str, Mapping[Language, str]]:
    """Every text in both languages side by side, so that none can be missing: `texts.json`."""
    found: dict[str, Mapping[Language, str]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
    return found


def text(language: Language, key: str, **values: object) -> str:
    """Raises KeyError for a key or placeholder that does not exist: the texts' test meets every one."""
    return texts()[key][language].format(**values)


def reason(language: Language, code: str, english: str) -> str:
    """The code in the operator's language; the English sentence for a code newer than this table."""
    return text(language, f"code.{code}") if f"code.{code}" in texts() else english


def refusal(language: Language, code: str, detail: str) -> str:
    """What the service answered to something we asked of it."""
    return text(language, f"failed.{code}", detail=detail) if f"failed.{code}" in texts() else detail
