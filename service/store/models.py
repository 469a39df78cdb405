"""Versions of an ROI's model: `models/<role>/<roi>/v0007/` and the pointer `current`, which names one of them.

A version is written beside, renamed to its number, then marked `activated`, then pointed to: whatever is interrupted,
the pointer leads to a whole model. Files carry SHA-256 sums; what does not match is never served.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from service.contract.models import Calibration
from service.errors import Conflict, ModelDamaged, NotFound, NotReady
from service.store.files import new_folder, read_sealed, roi_lock, sha256, sweep, write_file, write_sealed
from service.store.names import folder_name

_VERSION = re.compile(r"v(\d{4,})")
_MARK = re.compile(r"\d{8} ")
_POINTER, _ACTIVATED = "current", "activated"
_BANK, _MODEL, _CALIBRATION = "memory_bank.safetensors", "model.json", "calibration.json"


@dataclass(frozen=True)
class StoredModel:
    """One version as read from disk, its sums checked. `calibration` is None until there is one."""

    version: int
    description: dict[str, Any]
    arrays: dict[str, np.ndarray]
    calibration: Calibration | None


@dataclass(frozen=True)
class VersionSummary:
    role_id: str
    roi_id: str
    version: int
    current: bool
    activated: bool
    description: dict[str, Any] | None
    calibration: Calibration | None
    damaged: str | None

    @property
    def old_calibration(self) -> bool:
        """Whether its scores were held out without a look at parts: the threshold promises too much."""
        about = self.description or {}
        return self.calibration is not None and bool(about.get("ok_scores")) and not about.get("parts")


class Models:
    def __init__(self, data_root: Path) -> None:
        self._root = data_root / "models"
        self._locks = data_root / "locks" / "models"

    def publish(self, role_id: str, roi_id: str, arrays: dict[str, np.ndarray], description: dict[str, Any]) -> int:
        """Write a new version, not yet activated; returns its number. Raises DiskFull, with nothing left behind."""
        folder = self._folder(role_id, roi_id)
        with self._lock(role_id, roi_id, "Model change"):
            version = max(_versions(folder), default=0) + 1
            bank = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
            with new_folder(folder / _version_name(version)) as building:
                write_file(building / _BANK, bank)
                write_sealed(
                    building / _MODEL,
                    {**description, "role_id": role_id, "roi_id": roi_id, "version": version, "bank": sha256(bank)},
                )
        return version

    def activate(self, role_id: str, roi_id: str, version: int) -> None:
        """Let `version` serve. Raises NotFound, ModelDamaged."""
        folder = self._folder(role_id, roi_id)
        with self._lock(role_id, roi_id, "Activation"):
            self.load(role_id, roi_id, version)
            write_file(folder / _version_name(version) / _ACTIVATED, _next_mark(folder).encode())
            _point_to(folder, version)

    def rollback(self, role_id: str, roi_id: str) -> int:
        """Let the version serve that did so before the current one; returns it. Raises Conflict when there is none."""
        folder = self._folder(role_id, roi_id)
        with self._lock(role_id, roi_id, "Roll-back"):
            former = next(iter(self.fallbacks(role_id, roi_id)), None)
            if former is None:
                raise Conflict(f"{role_id}/{roi_id} has no earlier version to go back to.")
            self.load(role_id, roi_id, former)
            _point_to(folder, former)
            _forget_later_marks(folder, former)
        return former

    def stamp(self, role_id: str, roi_id: str) -> tuple[int, int, int] | None:
        """Changes whenever the current version or its calibration changes; None: never fitted. One `stat`."""
        try:
            status = os.stat(self._folder(role_id, roi_id) / _POINTER)
        except FileNotFoundError:
            if not self._root.parent.is_dir():
                raise NotReady(f"The data root {self._root.parent} is gone: plug its disk in again.") from None
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def current(self, role_id: str, roi_id: str) -> int | None:
        """Number of the version pointed to; None when never fitted. Raises ModelDamaged for a pointer to nowhere."""
        folder = self._folder(role_id, roi_id)
        try:
            name = (folder / _POINTER).read_text("utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        match = _VERSION.fullmatch(name)
        if not match or not (folder / name).is_dir():
            raise ModelDamaged(
                f"The pointer of {role_id}/{roi_id} leads to {name[:40]!r}, which is not there: "
                "choose a version with POST /models/activate, or restore a backup."
            )
        return int(match[1])

    def current_or_none(self, role_id: str, roi_id: str) -> int | None:
        """`current`, None also for a pointer to nowhere."""
        try:
            return self.current(role_id, roi_id)
        except ModelDamaged:
            return None

    def fallbacks(self, role_id: str, roi_id: str) -> list[int]:
        """Versions that served before the current one and were not rolled back, latest first."""
        folder = self._folder(role_id, roi_id)
        current = self.current_or_none(role_id, roi_id)
        marks = [(_read_mark(folder, version), version) for version in _versions(folder) if version != current]
        latest = _read_mark(folder, current) if current else ""
        return [version for mark, version in sorted(marks, reverse=True) if mark and (not latest or mark < latest)]

    def load(self, role_id: str, roi_id: str, version: int) -> StoredModel:
        """Raises NotFound, ModelDamaged (naming the file)."""
        folder = self._folder(role_id, roi_id) / _version_name(version)
        if not folder.is_dir():
            raise NotFound(f"{role_id}/{roi_id} has no version {version}; GET /models shows what there is.")
        with _damage_named(role_id, roi_id, version):
            description = read_sealed(folder / _MODEL)
            bank = (folder / _BANK).read_bytes()
            if (description["role_id"], description["roi_id"], description["version"]) != (role_id, roi_id, version):
                raise ValueError(f"{_MODEL} belongs to another model")
            if sha256(bank) != description["bank"]:
                raise ValueError(f"{_BANK} was changed or damaged")
            return StoredModel(version, description, load(bank), _read_calibration(folder, description["bank"]))

    def write_calibration(self, role_id: str, roi_id: str, version: int, calibration: Calibration) -> None:
        """Raises NotFound, ModelDamaged, DiskFull."""
        folder = self._folder(role_id, roi_id)
        with self._lock(role_id, roi_id, "Calibration"):
            if not (folder / _version_name(version)).is_dir():
                raise NotFound(f"{role_id}/{roi_id} has no version {version}; GET /models shows what there is.")
            with _damage_named(role_id, roi_id, version):
                bank = read_sealed(folder / _version_name(version) / _MODEL)["bank"]
            write_sealed(
                folder / _version_name(version) / _CALIBRATION, {**calibration.model_dump(mode="json"), "bank": bank}
            )
            if (pointed := _read_pointer(folder)) is not None:
                # a new stamp: running services read the calibration, also of a version that serves in place of another
                write_file(folder / _POINTER, f"{pointed}\n".encode())

    def versions(self, role_id: str, roi_id: str) -> list[VersionSummary]:
        """Oldest first; a damaged one is listed with its reason."""
        folder = self._folder(role_id, roi_id)
        pointed = _read_pointer(folder)
        return [_summary(folder, version, pointed, role_id, roi_id) for version in _versions(folder)]

    def version(self, role_id: str, roi_id: str, version: int) -> VersionSummary:
        """What one version says of itself, without reading its memory bank. Raises NotFound, ModelDamaged."""
        folder = self._folder(role_id, roi_id)
        if not (folder / _version_name(version)).is_dir():
            raise NotFound(f"{role_id}/{roi_id} has no version {version}; GET /models shows what there is.")
        found = _summary(folder, version, _read_pointer(folder), role_id, roi_id)
        with _damage_named(role_id, roi_id, version):
            if found.damaged:
                raise ValueError(found.damaged)
        return found

    def everything(self) -> Iterator[VersionSummary]:
        for folder in sorted(self._root.glob("*/*")) if self._root.is_dir() else ():
            pointed = _read_pointer(folder)
            for version in _versions(folder):
                yield _summary(folder, version, pointed)

    def sweep(self) -> None:
        """Remove what killed fits left behind."""
        for folder in self._root.glob("*/*") if self._root.is_dir() else ():
            with roi_lock(self._locks, folder.parent.name, folder.name, "Clean-up"):
                sweep(folder)
                for version in _versions(folder):
                    sweep(folder / _version_name(version))
                pointed = _VERSION.fullmatch(_read_pointer(folder) or "")
                if pointed and _read_mark(folder, int(pointed[1])):
                    _forget_later_marks(folder, int(pointed[1]))

    def _folder(self, role_id: str, roi_id: str) -> Path:
        return self._root / folder_name(role_id) / folder_name(roi_id)

    def _lock(self, role_id: str, roi_id: str, doing: str) -> AbstractContextManager[None]:
        return roi_lock(self._locks, folder_name(role_id), folder_name(roi_id), doing)


@contextmanager
def _damage_named(role_id: str, roi_id: str, version: int) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, KeyError, SafetensorError) as error:
        raise ModelDamaged(
            f"Version {version} of {role_id}/{roi_id} cannot be used: {error}. "
            "Roll back (POST /models/rollback), fit again, or restore a backup."
        ) from error


def _version_name(version: int) -> str:
    return f"v{version:04d}"


def _versions(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _VERSION.fullmatch(path.name)))


def _point_to(folder: Path, version: int) -> None:
    write_file(folder / _POINTER, f"{_version_name(version)}\n".encode())


def _read_pointer(folder: Path) -> str | None:
    try:
        return (folder / _POINTER).read_text("utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None


def _read_mark(folder: Path, version: int) -> str:
    try:
        mark = (folder / _version_name(version) / _ACTIVATED).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return mark if _MARK.match(mark) else ""


def _next_mark(folder: Path) -> str:
    """Sorts after every other of the ROI, also when the clock was set back."""
    latest = max((_read_mark(folder, version) for version in _versions(folder)), default="")
    return f"{int(latest[:8] or 0) + 1:08d} {datetime.now(UTC).isoformat()}"


def _forget_later_marks(folder: Path, current: int) -> None:
    """Of versions rolled back, or whose activation was interrupted: they are none to fall back to."""
    latest = _read_mark(folder, current)
    for version in _versions(folder):
        if _read_mark(folder, version) > latest:
            (folder / _version_name(version) / _ACTIVATED).unlink(missing_ok=True)


def _read_calibration(folder: Path, bank: str) -> Calibration | None:
    """None when there is none. Raises ValueError when it is damaged, or not of the memory bank with that SHA-256."""
    try:
        stored = read_sealed(folder / _CALIBRATION)
    except FileNotFoundError:
        return None
    if stored.pop("bank", None) != bank:
        raise ValueError(f"{_CALIBRATION} belongs to another model")
    return Calibration.model_validate(stored)


def _summary(folder: Path, version: int, pointed: str | None, role_id: str = "", roi_id: str = "") -> VersionSummary:
    name = _version_name(version)
    description, calibration, damaged = None, None, None
    try:
        description = read_sealed(folder / name / _MODEL)
        calibration = _read_calibration(folder / name, description["bank"])
    except (ValueError, OSError, KeyError) as error:
        damaged = str(error)
    return VersionSummary(
        role_id=role_id or (description or {}).get("role_id", folder.parent.name),
        roi_id=roi_id or (description or {}).get("roi_id", folder.name),
        version=version,
        current=name == pointed,
        activated=bool(_read_mark(folder, version)),
        description=description,
        calibration=calibration,
        damaged=damaged,
    )
