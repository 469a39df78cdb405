"""Names from outside as folder names: one injective function that survives Windows.

Lower-case letters, digits, `-` and `_` stay; an upper-case letter becomes `+` and itself in lower case; every other
UTF-8 byte becomes `=xx`. No two names share a folder on a case-insensitive disk, and no dot, slash or trailing space
survives. A name whose first letters are a Windows device (`con`, `com1`, ...) gets its first letter escaped; a name too
long for a path keeps its head and a SHA-256 of the whole.
"""

from __future__ import annotations

import hashlib

_MAX_FOLDER = 72  # two of them and a file name stay below Windows' 260 characters
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"] + [f"{d}{n}" for d in ("com", "lpt") for n in "0123456789"]
)


def folder_name(name: str) -> str:
    """The folder of a role or ROI; the name must have passed `check_name`."""
    folder = "".join(_escape(character) for character in name)
    if folder in _DEVICES:
        folder = f"={ord(folder[0]):02x}{folder[1:]}"
    if len(folder) > _MAX_FOLDER:
        # `=~` cannot start an escape, so a shortened name never equals a spelled-out one
        folder = f"{folder[: _MAX_FOLDER - 34]}=~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return folder


def is_folder_name(name: str) -> bool:
    """Whether `folder_name` could have made it."""
    return 1 <= len(name) <= _MAX_FOLDER and set(name) <= _PLAIN | set("+=~") and name not in _DEVICES


def _escape(character: str) -> str:
    if character in _PLAIN:
        return character
    if "A" <= character <= "Z":
        return "+" + character.lower()
    return "".join(f"={byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
