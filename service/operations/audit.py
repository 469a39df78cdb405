"""Read the audit log, and prove that nobody has changed it."""

from __future__ import annotations

from itertools import dropwhile, islice
from pathlib import Path

from service.contract.system import AuditAnswer, AuditEntry, AuditVerifyAnswer
from service.store.audit.chain import Entry, log_path, newest, verify


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
    return AuditEntry(
        seq=entry.seq,
        time_utc=entry.time_utc,
        who=entry.by,
        station=entry.station,
        action=entry.action,
        target=entry.target,
        old=entry.old,
        new=entry.new,
        entry_request_id=entry.request_id,
    )
