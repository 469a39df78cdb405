"""The last lines of a log: filtered by level and search text, limited in number."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
KEPT, SHOWN = 5000, 400
_FIRST = ("time", "level", "event")


@dataclass(frozen=True)
class LogLine:
    """`level` is empty for a line of another form, which is always shown."""

    time_utc: str
    level: str
    text: str


class LogView:
    """Holds the last `kept` lines, and shows the newest last."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lines: deque[LogLine] = deque(maxlen=kept)
        self.level, self.search = "INFO", ""

    def add(self, lines: Iterable[str]) -> None:
        self._lines.extend(parse(line) for line in lines if line.strip())

    def clear(self) -> None:
        self._lines.clear()

    def shown(self, most: int = SHOWN) -> list[LogLine]:
        found: list[LogLine] = []
        for line in reversed(self._lines):
            if self._wanted(line):
                found.append(line)
                if len(found) == most:
                    break
        return found[::-1]

    def _wanted(self, line: LogLine) -> bool:
        if line.level in LEVELS and LEVELS.index(line.level) < LEVELS.index(self.level):
            return False
        return self.search.casefold() in f"{line.level} {line.text}".casefold()


def parse(line: str) -> LogLine:
    """A JSON line as time, level, event, then the rest; any other line as it is."""
    try:
        event = json.loads(line)
    except ValueError:
        return LogLine("", "", line)
    if not isinstance(event, dict) or "level" not in event:
        return LogLine("", "", line)
    rest = "  ".join(f"{name}={plain(value)}" for name, value in event.items() if name not in _FIRST)
    level = str(event["level"]).replace("CRITICAL", "ERROR")
    return LogLine(str(event.get("time", "")), level, f"{event.get('event', '')}  {rest}".rstrip())


def plain(value: object) -> str:
    """A text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
