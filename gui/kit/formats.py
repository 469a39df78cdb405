"""Numbers with units, and times on this PC's clock, written as the language writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from gui.language import Language


def number(value: float | None, language: Language, digits: int = 2) -> str:
    """1,234.5 in English, 1.234,5 in Spanish; a dash for an unknown value."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    # comma and point change places; the locale module would need the language installed on the PC
    return text.translate(str.maketrans(",.", ".,")) if language == "es" else text


def area(value_mm2: float | None, language: Language) -> str:
    return f"{number(value_mm2, language, 1)} mm²"


def milliseconds(value_ms: float | None, language: Language) -> str:
    return f"{number(value_ms, language, 0)} ms"


def percent(share: float | None, language: Language, digits: int = 1) -> str:
    return "–" if share is None else f"{number(100 * share, language, digits)} %"


def size(value_bytes: float, language: Language) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value_bytes) < 1000 or unit == "GB":
            return f"{number(value_bytes, language, 0 if unit in ('B', 'kB') else 1)} {unit}"
        value_bytes /= 1000
    raise AssertionError


def local(time_utc: str | None) -> datetime | None:
    """The moment in this PC's time zone; None for a text that is no time."""
    try:
        moment = datetime.fromisoformat(time_utc or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()


def time_of_day(time_utc: str | None) -> str:
    moment = local(time_utc)
    return f"{moment:%H:%M:%S}" if moment else "–"


def date_and_time(time_utc: str | None, language: Language) -> str:
    moment = local(time_utc)
    if moment is None:
        return "–"
    return f"{moment:%d/%m/%Y %H:%M:%S}" if language == "es" else f"{moment:%Y-%m-%d %H:%M:%S}"
