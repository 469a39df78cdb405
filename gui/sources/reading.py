"""Picture files of a folder: find them, tell whether they are complete, read them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gui.sources.base import Picture, SourceError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
MAX_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, order=True)
class Found:
    """Ordered by time, then by name."""

    mtime_ns: int
    name: str
    size: int

    @property
    def key(self) -> str:
        return f"{self.mtime_ns} {self.size} {self.name}"


def pictures_in(folder: Path) -> list[Found]:
    """By time. Raises SourceError when the folder is not there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(_found(entry) for entry in entries if _is_picture(entry))
    except OSError as error:
        raise SourceError("folder_gone", f"{folder} cannot be read: {error.strerror or error}") from None


def read_picture(folder: Path, found: Found) -> Picture:
    """Raises SourceError for a file that is gone, too large, or held by another program."""
    if found.size > MAX_BYTES:
        raise SourceError(
            "file_too_large", f"{found.name} has {found.size / 1e6:.0f} MB; {MAX_BYTES / 1e6:.0f} are read."
        )
    try:
        data = (folder / found.name).read_bytes()
    except OSError as error:
        raise SourceError("file_unreadable", f"{found.name} cannot be read: {error.strerror or error}") from None
    return Picture(data, found.name)


def is_complete(data: bytes) -> bool:
    """Whether the file ends as its format does. A format without an end mark (TIFF) is never known to be complete."""
    if data.startswith(b"\x89PNG"):
        # zeros after the end do no harm
        return data.rstrip(b"\0")[-12:-4].endswith(b"IEND") or b"IEND" in data[-16:]
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd9" in data[-64:]
    if data.startswith(b"BM") and len(data) > 6:
        return len(data) >= int.from_bytes(data[2:6], "little") > 0
    if data.startswith(b"RIFF") and len(data) > 8:
        return len(data) >= int.from_bytes(data[4:8], "little") + 8
    return False


def decoded(data: bytes) -> np.ndarray | None:
    """BGR uint8 (h, w, 3), None for data that is no picture."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # more pixels than OpenCV reads
        return None


def _is_picture(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    # a name that begins with a dot or ~ is another program's temporary file
    return name[:1] not in ".~" and os.path.splitext(name)[1].lower() in SUFFIXES and entry.is_file()


def _found(entry: os.DirEntry[str]) -> Found:
    about = entry.stat()
    return Found(about.st_mtime_ns, entry.name, about.st_size)
