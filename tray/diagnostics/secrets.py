"""Finds secrets of this PC and blacks them out in everything that leaves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO
from urllib.parse import quote

MARK = b"[removed]"
_NAMES = re.compile("KEY|SECRET|PASSWORD|TOKEN", re.IGNORECASE)
_CHUNK = 1_000_000


def is_secret(name: str) -> bool:
    return _NAMES.search(name) is not None


def secrets_of(*sources: Mapping[str, str]) -> set[str]:
    """The values of secret names: whole, and each part of `name:key, key`, as it may be logged alone."""
    values = {value for source in sources for name, value in source.items() if is_secret(name)}
    parts = {part.strip() for value in values for part in value.split(",")}
    keys = {part.rpartition(":")[2] for part in parts}
    return {secret for secret in values | parts | keys if secret.strip()}


def settings_file_values(words: str) -> dict[str, str]:
    """NAME -> value of a settings file, also of lines that are commented out: those hold old keys."""
    values = {}
    for line in words.splitlines():
        name, sign, value = line.strip().lstrip("#").removeprefix("export ").partition("=")
        if sign:
            values[name.strip()] = value.strip().strip("'\"")
    return values


class Scrubber:
    """Replaces every secret, as it is and as JSON and URLs write it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._longest = len(forms[0]) if forms else 1
        self._pattern = re.compile(b"|".join(map(re.escape, forms))) if forms else None

    def text(self, words: str) -> bytes:
        data = words.encode("utf-8", "replace")
        return self._pattern.sub(MARK, data) if self._pattern else data

    def chunks(self, file: BinaryIO) -> Iterator[bytes]:
        """A file of any size in a few MB of memory; a secret across two chunks is found too."""
        held = b""
        while chunk := file.read(_CHUNK):
            cleaned, held = self._clean(held + chunk)
            yield cleaned
        yield self._pattern.sub(MARK, held) if self._pattern else held

    def _clean(self, data: bytes) -> tuple[bytes, bytes]:
        """The part that is certainly clean, and the end that may be the beginning of a secret."""
        if self._pattern is None:
            return data, b""
        cleaned, position, certain = [], 0, max(0, len(data) - self._longest + 1)
        for match in self._pattern.finditer(data):
            if match.start() >= certain:  # a longer secret may begin here
                break
            cleaned += [data[position : match.start()], MARK]
            position = match.end()
        end = max(position, certain)
        return b"".join([*cleaned, data[position:end]]), data[end:]


def _forms(secret: str) -> set[bytes]:
    as_json = (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return {form.encode() for form in (secret, *as_json, quote(secret), quote(secret, safe=""))}
