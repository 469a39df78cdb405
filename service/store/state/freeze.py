"""`freeze.json`: training is frozen while it is there. It stays through restarts, and is in no backup."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from service.errors import Problem
from service.store.files import read_sealed, write_sealed


@dataclass(frozen=True)
class FrozenSince:
    by: str
    station: str
    since_utc: str
    why: str


class TrainingFrozen(Problem):
    status, code, title = 423, "training_frozen", "Training frozen"


class Freezing:
    def __init__(self, data_root: Path) -> None:
        self._path = data_root / "freeze.json"

    def frozen(self) -> FrozenSince | None:
        try:
            return FrozenSince(**read_sealed(self._path))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, OSError) as error:  # in doubt it is frozen
            return FrozenSince("nobody knows", "", "", f"freeze.json cannot be read: {error}")

    def refuse(self) -> None:
        """Raises TrainingFrozen (423) with who froze it, when and why."""
        if now := self.frozen():
            station = f" at {now.station}" if now.station else ""
            raise TrainingFrozen(
                f"Training is frozen by {now.by}{station} since {now.since_utc or 'an unknown time'}: "
                f"{now.why.rstrip('.')}. Release it with POST /admin/unfreeze or `brakedisc unfreeze`."
            )

    def freeze(self, by: str, station: str, why: str) -> FrozenSince:
        """Raises DiskFull."""
        now = FrozenSince(by, station, datetime.now(UTC).isoformat(timespec="seconds"), why)
        write_sealed(self._path, asdict(now))
        return now

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
