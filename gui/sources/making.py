"""Makes the source that the preferences name, such as `{"kind": "usb", "index": 0}`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gui.sources import camera
from gui.sources.base import Source
from gui.sources.files import FilesSource
from gui.sources.folder import FolderSource
from gui.sources.genicam import GenicamSource
from gui.sources.none import NoSource
from gui.sources.simulated import SimulatedSource

KINDS = ("usb", "rtsp", "folder", "files", "simulated", "genicam")


def make_source(said: Mapping[str, Any], memory_folder: Path) -> Source:
    """Damaged preferences make no source, so that the person chooses again."""
    try:
        return _made(said, memory_folder)
    except (TypeError, ValueError):
        return NoSource()


def _made(said: Mapping[str, Any], memory_folder: Path) -> Source:
    kind, path = said.get("kind"), Path(str(said.get("path") or "-"))
    period_s = float(said.get("period_s") or 0)
    if kind == "usb":
        index, width, height = (int(said.get(name) or 0) for name in ("index", "width", "height"))
        exposure = float(said["exposure"]) if said.get("exposure") is not None else None
        opening = partial(camera.usb, index, width, height)
        return camera.CameraSource(opening, f"USB camera {index}", period_s, exposure)
    if kind == "rtsp":
        url = str(said.get("url") or "")
        return camera.CameraSource(partial(camera.stream, url), without_password(url), period_s)
    if kind == "folder":
        return FolderSource(path, memory_folder)
    if kind == "files":
        return FilesSource()
    if kind == "simulated":
        return SimulatedSource(path, period_s)
    if kind == "genicam":
        return GenicamSource(path, str(said.get("serial") or ""), triggered=bool(said.get("triggered")))
    return NoSource()


def without_password(url: str) -> str:
    """The URL as it may be logged and shown."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
