"""The operator's language: a choice in the menu, else the setting, else Windows' own."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

from service.store.files import write_file
from tray.texts import LANGUAGES, Language

CHOICE = "tray-language.json"
_SPANISH = 0x0A  # primary language identifier, the lower ten bits of a Windows language identifier
log = logging.getLogger(__name__)


def language_of(setting: str, data_root: Path) -> Language:
    """`setting`: auto, es or en. A choice in the menu counts more, because it was made later."""
    return chosen(data_root) or _known(setting) or system_language()


def chosen(data_root: Path) -> Language | None:
    try:
        value = json.loads((data_root / CHOICE).read_bytes())
    except (OSError, ValueError):
        return None
    return _known(value.get("language")) if isinstance(value, dict) else None


def choose(data_root: Path, language: Language) -> None:
    try:
        write_file(data_root / CHOICE, json.dumps({"language": language}).encode())
    except OSError as error:  # the menu changes all the same, until the next start
        log.warning("language not kept: %s", error)


def system_language() -> Language:
    if sys.platform == "win32":
        import ctypes

        return "es" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == _SPANISH else "en"
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "es" if next(filter(None, names), "").lower().startswith("es") else "en"


def _known(value: object) -> Language | None:
    return next((language for language in LANGUAGES if language == value), None)
