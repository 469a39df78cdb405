"""Layouts of roles: `layouts/<role>/layout.json`, sealed, and the master picture that it names.

A master is stored under a name made of its content, before the layout that names it: a crash at any instant leaves the
old layout with its picture, or the new one with its own. What no layout names is swept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import LayoutChanged, LayoutDamaged, NotFound, NotReady
from service.store.files import file_lock, read_sealed, sha256, sweep, write_file, write_sealed
from service.store.names import folder_name

_LAYOUT, _MASTERS = "layout.json", "master-*.png"
Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class StoredLayout:
    """`value`: as stored. `damaged`: why it cannot be read; `value` is empty then."""

    folder: str
    value: dict[str, Any]
    damaged: str | None = None


class Layouts:
    def __init__(self, data_root: Path) -> None:
        self._data_root = data_root
        self._root = data_root / "layouts"

    def stamp(self, role_id: str) -> Stamp:
        """Changes whenever a file of the layout does, also by damage; empty without a layout."""
        folder = self._folder(role_id)
        found = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            with suppress(FileNotFoundError):  # replaced meanwhile
                status = os.stat(path)
                found.append((path.name, status.st_mtime_ns, status.st_ino, status.st_size))
        return tuple(found)

    def read(self, role_id: str) -> dict[str, Any]:
        """Raises NotFound, LayoutDamaged."""
        return _read(self._folder(role_id), role_id)

    def read_whole(self, role_id: str) -> tuple[dict[str, Any], bytes | None]:
        """The layout and its master as PNG, None without one. Raises NotFound, LayoutDamaged, Conflict."""
        with self._lock(role_id, "Reading"):  # between the two, somebody could put others in their place
            value = self.read(role_id)
            if value["master"] is None:
                return value, None
            return value, _read_master(self._folder(role_id), role_id, value["master"]["sha256"])

    def all(self) -> Iterator[StoredLayout]:
        for path in sorted(self._root.glob(f"*/{_LAYOUT}")):
            try:
                yield StoredLayout(path.parent.name, _read(path.parent, path.parent.name))
            except LayoutDamaged as problem:
                yield StoredLayout(path.parent.name, {}, problem.detail)

    def store(self, role_id: str, revision: int, value: dict[str, Any], master_png: bytes | None = None) -> None:
        """Put `value` in the place of that revision, 0: of none. Raises LayoutChanged, LayoutDamaged, DiskFull.

        `value["master"]["sha256"]` is of `master_png`, or of the master there is.
        """
        folder = self._folder(role_id)
        with self._lock(role_id, "Layout change"):
            refuse_other_revision(role_id, _read_or_none(folder, role_id), revision)
            sweep(folder)
            if master_png is not None:
                write_file(folder / _master_name(sha256(master_png)), master_png)
            write_sealed(folder / _LAYOUT, value)
            _drop_masters(folder, value)

    def delete(self, role_id: str, revision: int) -> dict[str, Any] | None:
        """The deleted layout, None when it was damaged: a damaged one is deleted whatever the revision.

        Raises NotFound, LayoutChanged.
        """
        folder = self._folder(role_id)
        with self._lock(role_id, "Layout change"):
            former = None
            with suppress(LayoutDamaged):
                former = self.read(role_id)
                refuse_other_revision(role_id, former, revision)
            (folder / _LAYOUT).unlink()  # from here on there is no layout
            _drop_masters(folder, {})
            with suppress(OSError):  # somebody's notes lie there
                folder.rmdir()
        return former

    def sweep(self) -> None:
        """Remove what killed writers left behind."""
        for folder in [path for path in self._root.glob("*") if path.is_dir()]:
            with layout_lock(self._data_root, folder.name, "Clean-up"):
                sweep(folder)
                with suppress(LayoutDamaged):  # its master may be what it can be saved with
                    _drop_masters(folder, _read_or_none(folder, folder.name) or {})

    def _folder(self, role_id: str) -> Path:
        return self._root / folder_name(role_id)

    def _lock(self, role_id: str, doing: str) -> AbstractContextManager[None]:
        return layout_lock(self._data_root, folder_name(role_id), doing)


def layout_lock(data_root: Path, folder: str, doing: str) -> AbstractContextManager[None]:
    """One at a time writes the layout in that folder, among all threads and processes. Raises Conflict."""
    refusal = f"{doing}: another change of this layout is under way; try again when it has ended."
    return file_lock(data_root / "locks" / "layouts" / f"{folder}.lock", refusal)


def refuse_other_revision(role_id: str, stored: dict[str, Any] | None, revision: int) -> None:
    """Raises LayoutChanged unless `revision` is the stored one, 0 when there is none."""
    if stored is None and revision:
        raise LayoutChanged(
            f"The layout of {role_id} was deleted by somebody else: read it again before you change it."
        )
    if stored is not None and stored["revision"] != revision:
        raise LayoutChanged(
            f"{stored['updated_by']} changed the layout of {role_id} at {stored['updated_utc']}: revision "
            f"{stored['revision']} is stored, yours began from {revision}. Read it again before you change it."
        )


def _read(folder: Path, role_id: str) -> dict[str, Any]:
    try:
        return read_sealed(folder / _LAYOUT)
    except FileNotFoundError:
        if not folder.parents[1].is_dir():
            raise NotReady(f"The data root {folder.parents[1]} is gone: plug its disk in again.") from None
        raise NotFound(f"There is no layout of {role_id}; GET /layouts shows what there is.") from None
    except (ValueError, OSError) as error:
        raise damaged(role_id, error) from error


def _read_or_none(folder: Path, role_id: str) -> dict[str, Any] | None:
    try:
        return _read(folder, role_id)
    except NotFound:
        return None


def _read_master(folder: Path, role_id: str, sum_: str) -> bytes:
    try:
        data = (folder / _master_name(sum_)).read_bytes()
    except OSError as error:
        raise damaged(role_id, error) from error
    if sha256(data) != sum_:
        raise damaged(role_id, "its master picture was changed or damaged")
    return data


def _drop_masters(folder: Path, value: dict[str, Any]) -> None:
    """All but the one that the layout names."""
    kept = _master_name(value["master"]["sha256"]) if value.get("master") else ""
    for path in folder.glob(_MASTERS):
        if path.name != kept:
            with suppress(PermissionError):  # Windows, while somebody reads it: the next sweep takes it
                path.unlink(missing_ok=True)


def _master_name(sum_: str) -> str:
    return f"master-{sum_[:32]}.png"


def damaged(role_id: str, reason: object) -> LayoutDamaged:
    return LayoutDamaged(
        f"The layout of {role_id} cannot be used ({reason}): restore a backup, or delete it "
        f"(DELETE /layouts/{role_id}) and draw it again."
    )
