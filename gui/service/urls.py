"""Addresses under which the browser gets pictures of the service."""

from __future__ import annotations

from urllib.parse import urlencode


def service_picture(path: str, **query: object) -> str:
    """`service_picture("inspections/ID/image")`."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"/picture/service/{path}" + (f"?{urlencode(given)}" if given else "")
