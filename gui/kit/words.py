"""The texts of the screens: `texts/<language>/<section>.json`, found by `section.key`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from gui.language import Language

FOLDER = Path(__file__).parents[1] / "texts"


@cache
def table(language: Language) -> Mapping[str, str]:
    """`section.key` -> text, of one language."""
    texts = {}
    for path in sorted((FOLDER / language).glob("*.json")):
        section = json.loads(path.read_text("utf-8"))
        texts.update({f"{path.stem}.{key}": value for key, value in section.items()})
    return texts


class Told(Exception):
    """An error that a person is told: `code` names the sentence in `texts/*/problems.json`, `detail` is in English."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Words:
    """`words("inspect.part", part_id="A1")` in the language that is set now."""

    # a function, because a person may change the language while pages are open
    def __init__(self, language: Callable[[], Language]) -> None:
        self._language = language

    @property
    def language(self) -> Language:
        return self._language()

    def __call__(self, key: str, /, **values: object) -> str:
        return table(self.language)[key].format(**values)

    def has(self, key: str) -> bool:
        return key in table(self.language)

    def problem(self, code: str, detail: str) -> str:
        """The sentence of an error code; for an unknown code, the detail that the service gave."""
        key = f"problems.{code}"
        return self(key if self.has(key) else "problems.other", detail=detail)
