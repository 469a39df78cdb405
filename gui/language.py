"""The languages of the screens, and the language of this PC."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: Mapping[Language, str] = {"en": "English", "es": "Español"}


def system_language() -> Language:
    named = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    # Windows names its locales in words: "Spanish_Spain"
    return "es" if named.lower().startswith(("es", "spanish")) else "en"
