"""The choices this PC keeps across restarts, in one JSON file: service address, language, source, shifts."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from gui.language import Language
from service.store.files import write_file

log = logging.getLogger(__name__)
FILE = "preferences.json"


@dataclass(frozen=True)
class Preferences:
    """`source`: see `gui.sources.making`. `shifts`: the hours at which a shift begins, local time."""

    backend_url: str = "http://127.0.0.1:8000"
    api_key: str = ""
    station: str = ""
    language: Language = "en"
    dark: bool = False
    role_id: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    shifts: tuple[int, ...] = (6, 14, 22)
    heat_opacity: float = 0.6


class PreferencesFile:
    """A change is on the disk before `change` returns. Thread safe."""

    def __init__(self, folder: Path, defaults: Preferences) -> None:
        self._path, self._lock = folder / FILE, threading.Lock()
        self.now = _read(self._path, defaults)

    def change(self, **changes: Any) -> Preferences:
        """Raises DiskFull, OSError."""
        with self._lock:
            changed = replace(self.now, **changes)
            write_file(self._path, json.dumps(asdict(changed), ensure_ascii=False, indent=1).encode())
            self._path.chmod(0o600)  # it holds the key
            self.now = changed
            return changed


def _read(path: Path, defaults: Preferences) -> Preferences:
    """Values that cannot be used are left at their default, because a damaged file must not stop a line."""
    try:
        kept = json.loads(path.read_bytes())
        known = {item.name for item in fields(Preferences)}
        values = {name: value for name, value in kept.items() if name in known}
        found = replace(defaults, **{**values, "shifts": tuple(values.get("shifts", defaults.shifts))})
    except FileNotFoundError:
        return defaults
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.error("preferences cannot be read", extra={"path": str(path), "detail": str(error)})
        return defaults
    # a file may have been written by hand, or by a version with other languages
    return found if found.language in ("es", "en") else replace(found, language=defaults.language)
