"""`verification.json`: result of the last check of golden parts, and the time of the last pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from service.store.files import read_sealed, write_sealed

_FILE = "verification.json"


@dataclass(frozen=True)
class Verification:
    """`passed_utc`: the last time one was passed, None for never."""

    checked_utc: str
    passed_utc: str | None
    passed: bool
    n_golden: int
    n_failed: int


def last_verification(data_root: Path) -> Verification | None:
    """None when there was none, or when the file cannot be believed."""
    try:
        return Verification(**read_sealed(data_root / _FILE))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def keep_verification(data_root: Path, verification: Verification) -> None:
    """Raises DiskFull."""
    write_sealed(data_root / _FILE, asdict(verification))
