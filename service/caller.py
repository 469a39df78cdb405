"""Who asks: the request's id and the name of its key, for log lines and records. Follows a request into its threads."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
key_name: ContextVar[str] = ContextVar("key_name", default="")

_ACCEPTED = re.compile(r"[\x21-\x7e]{1,128}")


def accept_request_id(given: str | None) -> str:
    """The caller's own id when it is short printable ASCII, else a new one."""
    return given if given and _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
