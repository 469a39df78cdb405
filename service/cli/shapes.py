"""Shapes as a person types them."""

from __future__ import annotations

import json

from service.errors import InvalidShape


def shape_json(text: str | None, height: int, width: int) -> str | None:
    """The contract's JSON for `circle`, `annulus:0.5` (both inscribed in the picture), or JSON as it is."""
    if text is None or text.strip().startswith("{"):
        return text
    kind, _, ratio = text.partition(":")
    radius = min(height, width) / 2
    centre = {"cx": (width - 1) / 2, "cy": (height - 1) / 2, "r": radius}
    if kind == "circle" and not ratio:
        return json.dumps({"kind": "circle", **centre})
    try:
        share = float(ratio)
    except ValueError:
        share = -1.0
    if kind == "annulus" and 0 <= share < 1:
        return json.dumps({"kind": "annulus", **centre, "r_inner": share * radius})
    raise InvalidShape(f"--shape {text}: give `circle`, `annulus:0.5` (inner over outer radius), or JSON in pixels.")
