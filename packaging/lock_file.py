"""Reads lock files: the packages they pin. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^ ;\\\n]+)(?: ; ([^\\\n]+?))? *\\?$", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """`text`: its line and those of its hashes, as they stand in the file."""

    name: str
    version: str
    marker: str
    text: str


def pins(lock: str) -> list[Pin]:
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    found = [(_PIN.match(block), block) for block in blocks]
    return [Pin(canonical(pin[1]), pin[2], pin[3] or "", block) for pin, block in found if pin]


def canonical(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()
