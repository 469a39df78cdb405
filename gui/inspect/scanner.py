"""Tells the keys of a barcode scanner, which is a keyboard to the PC, from the key that starts an inspection."""

from __future__ import annotations

from enum import Enum

# A scanner sends a key every 1 to 20 ms, over a network in bursts: 0.4 s between two keys end a code.
GAP_S, SHORTEST = 0.4, 4


class Key(Enum):
    NOTHING = 0
    START = 1
    CODE = 2


class Wedge:
    """`code` is the last code that was read whole."""

    def __init__(self) -> None:
        self._typed, self._last_s = "", 0.0
        self.code = ""

    def press(self, key: str, now_s: float) -> Key:
        """`key` as the browser names it: "A", "7", " ", "Enter"."""
        if now_s - self._last_s > GAP_S:
            self._typed = ""
        self._last_s = now_s
        if key == "Enter" and len(self._typed) >= SHORTEST:
            self.code, self._typed = self._typed, ""
            return Key.CODE
        if key in ("Enter", " ") and not self._typed:
            return Key.START
        if len(key) == 1:
            self._typed += key
        return Key.NOTHING
