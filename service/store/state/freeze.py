"""`freeze.json`: training is frozen while it is there. It stays through restarts, and is in no backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from service.contract.health import Frozen
from service.errors import TrainingFrozen
from service.store.files import read_sealed, write_sealed


class Freezing:
    def __init__(self, data_root: Path) -> None:
        self._path = data_root / "freeze.json"

    def frozen(self) -> Frozen | None:
        try:
            return Frozen(**read_sealed(self._path))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, OSError) as error:  # in doubt it is frozen
            return Frozen(by="nobody knows", station="", since_utc="", why=f"freeze.json cannot be read: {error}")

    def refuse(self) -> None:
        """Raises TrainingFrozen (423) with who froze it, when and why."""
        if now := self.frozen():
            station = f" at {now.station}" if now.station else ""
            raise TrainingFrozen(
                f"Training is frozen by {now.by}{station} since {now.since_utc or 'an unknown time'}: "
                f"{now.why.rstrip('.')}. Release it with POST /admin/unfreeze or `brakedisc unfreeze`."
            )

    def freeze(self, by: str, station: str, why: str) -> Frozen:
        """Raises DiskFull."""
        now = Frozen(by=by, station=station, since_utc=datetime.now(UTC).isoformat(timespec="seconds"), why=why)
        write_sealed(self._path, now.model_dump())
        return now

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
