"""The caller of a request: its id, the name of its key and its station, for logs, records and the audit log.

Follows a request into its threads.
"""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
key_name: ContextVar[str] = ContextVar("key_name", default="")

station: ContextVar[str] = ContextVar("station", default="")

_ACCEPTED = re.compile(r"[\x21-\x7e]{1,128}")


def accept_request_id(given: str | None) -> str:
    """The caller's own id when it is short printable ASCII, else a new one."""
    return given if given and _ACCEPTED.fullmatch(given) else uuid.uuid4().hex


def accept_station(given: str | None, address: str) -> str:
    """The name a station gives itself when it is short printable ASCII, else its address."""
    return given if given and _ACCEPTED.fullmatch(given) else address


def name() -> str:
    """Name of the API key that was used; empty in a service without keys."""
    return key_name.get() or "anybody"
