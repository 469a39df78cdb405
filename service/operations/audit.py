"""The audit log as people read it, the proof that it is unchanged, and what a start writes into it."""

from __future__ import annotations

import getpass
import hashlib
import logging
import socket
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any

from service.contract.system import AuditAnswer, AuditEntry, AuditVerifyAnswer
from service.errors import Problem
from service.settings import Settings
from service.store.audit.chain import Entry, last, log_path, newest, verify
from service.store.audit.log import Audit

log = logging.getLogger(__name__)
_SECRET = "api_key"


def page(data_root: Path, action: str, before: int | None, limit: int) -> AuditAnswer:
    """Entries with numbers below `before`, newest first."""
    found = newest(data_root, action)
    if before is not None:
        found = dropwhile(lambda entry: entry.seq >= before, found)
    return AuditAnswer(entries=[_shown(entry) for entry in islice(found, limit)])


def prove(data_root: Path) -> AuditVerifyAnswer:
    done = verify(log_path(data_root))
    return AuditVerifyAnswer(intact=done.problem is None, n=done.entries, problem=done.problem)


def _shown(entry: Entry) -> AuditEntry:
    return AuditEntry(**vars(entry), who=entry.by, entry_request_id=entry.request_id)


def note_settings(audit: Audit, settings: Settings) -> None:
    """At a start: settings and keys that changed since the last one go into the log, of a key only its fingerprint.

    Never keeps the service from starting.
    """
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
    old, new = ({name: values.get(name) for name in changed} for values in (before, now))
    note_own(audit, action, now, old=old, new=new)


def note_own(audit: Audit, action: str, target: dict[str, Any], *, old: object = None, new: object = None) -> None:
    """One line in the name of the user and the PC that this process runs as. Raises DiskFull, Conflict."""
    audit.append(action, by=user(), station=socket.gethostname(), target=target, old=old, new=new)


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def user() -> str:
    """Name of the user that this process runs as."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "unknown"
