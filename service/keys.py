"""Who may enter: API keys, and the host names this service answers to."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping

from service.errors import HostRefused, KeyRequired


def check_key(keys: Mapping[str, str], given: str | None) -> str:
    """Name of the caller whose key was given; "" when none is configured. Raises KeyRequired (401).

    Every key is compared in constant time, so that timing tells nothing.
    """
    if not keys:
        return ""
    found = [name for key, name in keys.items() if hmac.compare_digest(key.encode(), (given or "").encode())]
    if not found:
        raise KeyRequired("Send the header X-API-Key with a key from BACKEND_API_KEY.")
    return found[0]


def own_hosts(host: str, configured: list[str]) -> frozenset[str]:
    """Names under which this machine may be called; IP addresses always may."""
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, host.lower(), *(item.lower() for item in configured)})


def check_host(hosts: frozenset[str], header: str) -> None:
    """Raises HostRefused (421) for a name that is not ours: a page that rebinds its DNS name to us sends its own."""
    name = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    name = name.strip("[]").lower().rstrip(".")
    if name in hosts:
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise HostRefused(
            f"This service does not answer to the name {name[:100]!r}; add it to BACKEND_ALLOWED_HOSTS if it should."
        ) from None
