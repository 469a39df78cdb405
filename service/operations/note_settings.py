"""Settings and keys that are others than at the last start go into the audit log; of a key only its fingerprint."""

from __future__ import annotations

import getpass
import hashlib
import logging
import socket
from typing import Any

from service.errors import Problem
from service.settings import Settings
from service.store.audit.chain import last
from service.store.audit.log import Audit

log = logging.getLogger(__name__)
_SECRET = "api_key"


def note_settings(audit: Audit, settings: Settings) -> None:
    """Never keeps the service from starting."""
    try:
        _note(audit, settings, "settings", settings.model_dump(mode="json", exclude={_SECRET}))
        _note(audit, settings, "keys", {name: _fingerprint(key) for key, name in settings.api_keys.items()})
    except (Problem, OSError) as error:
        log.error("settings not noted", extra={"detail": str(error)})


def _note(audit: Audit, settings: Settings, action: str, now: dict[str, Any]) -> None:
    entry = last(settings.data_root, action)
    before: dict[str, Any] = entry.target if entry else {}
    if now == before:
        return
    changed = sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
    audit.append(
        action,
        by=_user(),
        station=socket.gethostname(),
        target=now,
        old={name: before.get(name) for name in changed},
        new={name: now.get(name) for name in changed},
    )


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _user() -> str:
    """Who runs the service."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"
