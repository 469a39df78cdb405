"""Asks a program of this PC for its health over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from service.process.client import called_host
from tray.supervise.program import Program

_LARGEST_ANSWER = 1_000_000


def ask_health(program: Program, timeout_s: float) -> Mapping[str, Any] | None:
    """The program's health; None when nothing answers on its port, or another program does.

    The standard library's client: httpx alone would cost 7 MB of a process that shall stay small.
    """
    connection = http.client.HTTPConnection(called_host(program.host), program.port, timeout=timeout_s)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        health = json.loads(connection.getresponse().read(_LARGEST_ANSWER))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return health if isinstance(health, dict) and health.get("product") == program.product else None
