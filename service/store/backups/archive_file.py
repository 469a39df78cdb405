"""One backup as a file: `.tar.gz` whose first member, `manifest.json`, tells path, size and SHA-256 of every other.

An archive may come from anywhere. Nothing of it is believed: only plain files that the manifest names, under paths that
a data root has, of the size and content it says, and not more than fits; everything else is refused with the reason.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from service.errors import BackupRefused
from service.store.files import full_disk_named
from service.store.names import is_folder_name

FORMAT = 1
PRODUCT = "brakedisc-inspector"
MANIFEST = "manifest.json"
CHUNK = 1 << 20
# Pictures and vectors hardly get smaller, JSON and records ten times; what grows more was made to fill a disk.
MAX_GROWTH, MAX_SMALL = 50, 100 << 20
MAX_MANIFEST, MAX_READ = 256 << 20, 16 << 20
# What a data root has; `*` is a folder name as `names.folder_name` makes them.
_PATHS = re.compile(
    r"datasets/\*/\*/(ok|ng)/[0-9T]+-[0-9a-f]{8}\.(png|json)"
    r"|models/\*/\*/(current|v\d{4,9}/(memory_bank\.safetensors|model\.json|calibration\.json|activated))"
    r"|layouts/\*/[a-z0-9_-]{1,64}\.[a-z]{1,8}"
    r"|records\.sqlite|settings\.env|logs/audit\.(jsonl|head)"
)
Progress = Callable[[float], None]


@dataclass(frozen=True)
class FileEntry:
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`about`: version, schema, creation time, host, whatever the maker said of itself."""

    about: dict[str, Any]
    files: dict[str, FileEntry] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        return sum(entry.size for entry in self.files.values())

    def to_json(self) -> bytes:
        files = {path: [entry.size, entry.sha256] for path, entry in self.files.items()}
        return json.dumps({"format": FORMAT, "product": PRODUCT, **self.about, "files": files}, indent=0).encode()


def write_archive(source: Path, target: Path, about: dict[str, Any], progress: Progress) -> Manifest:
    """Pack every file under `source`, which must not change meanwhile; flushed to disk. Raises DiskFull.

    `progress` is called for about every MB with 0..1, and may raise to end it.
    """
    paths = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*")) if path.is_file()}
    total = 2 * sum(path.stat().st_size for path in paths.values()) or 1
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done / total, 1.0))

    manifest = Manifest(about, {name: _entry(path, advance) for name, path in paths.items()})
    with full_disk_named(target), open(target, "wb") as raw:
        # level 1: pictures and vectors hardly shrink, and every further level only costs time
        with (
            gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed,
            tarfile.TarFile(fileobj=packed, mode="w", copybufsize=CHUNK) as tar,
        ):
            about_json = manifest.to_json()
            tar.addfile(_header(MANIFEST, len(about_json)), io.BytesIO(about_json))
            for name, path in paths.items():
                with open(path, "rb") as file:
                    tar.addfile(_header(name, manifest.files[name].size), _Advancing(file, advance))  # type: ignore[arg-type]
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def check_archive(archive: Path, progress: Progress) -> Manifest:
    """Read everything and compare it with the manifest. Raises BackupRefused."""
    return _read(archive, progress, lambda _path: None)


def unpack(archive: Path, into: Path, progress: Progress) -> Manifest:
    """Write the files under the new folder `into`, each checked while it is written, flushed to disk.

    Raises BackupRefused, DiskFull; the caller removes the folder then.
    """

    def opened(path: str) -> IO[bytes]:
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return open(target, "xb")

    with full_disk_named(into):
        return _read(archive, progress, opened)


def read_manifest(archive: Path) -> Manifest:
    """Raises BackupRefused when it is not a backup of this product."""
    with _opened(archive) as tar:
        return _manifest(tar, archive)


def _read(archive: Path, progress: Progress, open_for: Callable[[str], IO[bytes] | None]) -> Manifest:
    with _opened(archive) as tar:
        manifest = _manifest(tar, archive)
        missing, done = dict(manifest.files), 0
        for member in _members(tar):
            entry = missing.pop(member.name, None)
            if entry is None or member.size != entry.size:
                raise BackupRefused(f"{archive.name}: {_shown(member.name)} is not what the manifest says.")
            digest, target = hashlib.sha256(), open_for(member.name)
            try:
                for chunk in _chunks(tar, member):
                    digest.update(chunk)
                    if target is not None:
                        target.write(chunk)
                    done += len(chunk)
                    progress(done / (manifest.total_bytes or 1))
                if target is not None:
                    target.flush()
                    os.fsync(target.fileno())
            finally:
                if target is not None:
                    target.close()
            if digest.hexdigest() != entry.sha256:
                raise BackupRefused(f"{archive.name} is damaged: {_shown(member.name)} has another content.")
        assert tar.fileobj is not None
        if len(tar.fileobj.read(CHUNK)) == CHUNK:  # a few zeros; reading them has gzip compare its checksum
            raise BackupRefused(f"{archive.name} goes on behind its end: it was not made by this product.")
    if missing:
        raise BackupRefused(f"{archive.name} is cut short: {_shown(next(iter(missing)))} is missing.")
    return manifest


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with (
            open(archive, "rb") as raw,
            _SmallReads(fileobj=raw, mode="rb") as unpacked,
            tarfile.open(fileobj=unpacked, mode="r:") as tar,
        ):
            yield tar
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, KeyError, RecursionError) as error:
        raise BackupRefused(f"{archive.name} is damaged, or not a backup: {error or type(error).__name__}.") from error


def _manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    first = next(_members(tar), None)
    if first is None or first.name != MANIFEST or first.size > MAX_MANIFEST:
        raise BackupRefused(f"{archive.name} is not a backup of this product: it does not begin with {MANIFEST}.")
    value = json.loads(b"".join(_chunks(tar, first)))
    if not isinstance(value, dict) or value.get("product") != PRODUCT:
        raise BackupRefused(f"{archive.name} is not a backup of this product.")
    if value.get("format") != FORMAT:
        raise BackupRefused(f"{archive.name} was made by a newer version of this product: update it first.")
    try:
        files = {str(path): FileEntry(int(size), str(sha)) for path, (size, sha) in value.pop("files").items()}
    except (AttributeError, TypeError) as error:
        raise BackupRefused(f"{archive.name}: its manifest cannot be read ({error}).") from error
    for path, entry in files.items():
        if not belongs(path) or entry.size < 0:
            raise BackupRefused(f"{archive.name}: {_shown(path)} is no file of a data root.")
    manifest = Manifest(value, files)
    if manifest.total_bytes > max(MAX_SMALL, MAX_GROWTH * archive.stat().st_size):
        raise BackupRefused(
            f"{archive.name} would unpack to {manifest.total_bytes // 10**6:,} MB, more than {MAX_GROWTH} times "
            "its own size: it was not made by this product."
        )
    return manifest


def belongs(path: str) -> bool:
    """Whether a data root has a file of that path: no device, no drive, nothing that leads upwards."""
    head, *names = path.split("/")
    free = {"datasets": 2, "models": 2, "layouts": 1}.get(head, 0)  # folders named after roles and ROIs
    if not all(is_folder_name(name) for name in names[:free]):
        return False
    return _PATHS.fullmatch("/".join([head, *["*"] * free, *names[free:]])) is not None


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
            raise BackupRefused(f"{_shown(member.name)} in the archive is not a plain file: it may not be unpacked.")
        yield member
        tar.members.clear()  # type: ignore[attr-defined]  # TarFile would keep every header


def _chunks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = tar.extractfile(member)
    assert file is not None  # a plain file
    left = member.size
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise EOFError("it is cut short")
        left -= len(chunk)
        yield chunk


class _SmallReads(gzip.GzipFile):
    """A header that claims to be gigabytes long would be read into memory at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MAX_READ:
            raise BackupRefused("The archive has a header of impossible size: it may not be unpacked.")
        return super().read(size)


class _Advancing:
    """A file that tells how much was read of it."""

    def __init__(self, file: IO[bytes], advance: Callable[[int], None]) -> None:
        self._file, self._advance, self._untold = file, advance, 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._untold += len(data)
        if self._untold >= CHUNK or len(data) < size:
            self._advance(self._untold)
            self._untold = 0
        return data


def _entry(path: Path, advance: Callable[[int], None]) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            advance(len(chunk))
    return FileEntry(size, digest.hexdigest())


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    return header


def _shown(name: str) -> str:
    """A name from an archive, short and printable."""
    return repr(name[:100])
