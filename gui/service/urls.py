"""Addresses of pictures that the service serves."""

from __future__ import annotations

from urllib.parse import urlencode


def service_picture(path: str, **query: object) -> str:
    """URL, for the browser, of a picture that the service has: `service_picture("inspections/ID/image")`."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"/picture/service/{path}" + (f"?{urlencode(given)}" if given else "")
