"""An archive may come from anywhere: what is damaged, cut short, foreign or malicious is refused with the reason."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from service.errors import BackupRefused
from service.store.backups.archive_file import MANIFEST, PRODUCT, check_archive, read_manifest, unpack, write_archive

SAMPLE = "datasets/disc/ring/ok/20261123T071455123456-3f9a1c2d"
CONTENT = {f"{SAMPLE}.png": b"picture" * 50_000, f"{SAMPLE}.json": b"{}", "records.sqlite": bytes(300_000)}


def ignore(_: float) -> None:
    pass


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A good one."""
    source = tmp_path / "source"
    for name, data in CONTENT.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    write_archive(source, tmp_path / "good.tar.gz", {"version": "0.1.0", "schema": 2}, ignore)
    return tmp_path / "good.tar.gz"


def member(name: str, data: bytes = b"", **header: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in header.items():
        setattr(info, field, value)
    return info, data


def manifest_of(contents: dict[str, bytes], **changes: Any) -> tuple[tarfile.TarInfo, bytes]:
    told = {name: [len(data), hashlib.sha256(data).hexdigest()] for name, data in contents.items()}
    return member(MANIFEST, json.dumps({"format": 1, "product": PRODUCT, "files": told, **changes}).encode())


def forged(path: Path, members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return path


def assert_refused(archive: Path, said: str) -> None:
    """Neither read nor unpacked, and nothing lies outside of where it was to be unpacked."""
    into = archive.parent / "into"
    into.mkdir()
    before = {path for path in archive.parent.rglob("*") if into not in path.parents}
    with pytest.raises(BackupRefused, match=said):
        unpack(archive, into, ignore)
    assert {path for path in archive.parent.rglob("*") if into not in path.parents} == before
    with pytest.raises(BackupRefused, match=said):
        check_archive(archive, ignore)


def test_what_was_packed_comes_out(archive: Path, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    manifest = unpack(archive, into, ignore)
    assert {name: (into / name).read_bytes() for name in manifest.files} == CONTENT
    assert manifest.about["version"] == "0.1.0"
    assert manifest == check_archive(archive, ignore) == read_manifest(archive)


def test_progress_goes_from_zero_to_one_and_can_end_it(archive: Path) -> None:
    told: list[float] = []
    check_archive(archive, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(_: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        check_archive(archive, stop)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(archive: Path, share: float) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: int(share * len(data))])
    assert_refused(archive, "damaged|cut short|not a backup")


def test_an_archive_with_a_changed_byte_anywhere_is_refused(archive: Path) -> None:
    data = archive.read_bytes()
    for position in range(20, len(data) - 8, max(1, len(data) // 60)):  # behind gzip's own header, before its checksum
        archive.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        with pytest.raises(BackupRefused):
            check_archive(archive, ignore)


@pytest.mark.parametrize(
    "data", [b"", b"not an archive", gzip.compress(b"a letter"), gzip.compress(bytes(10240))], ids=range(4)
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(data)
    assert_refused(tmp_path / "x.tar.gz", "damaged, or not a backup|not a backup of this product")


def test_a_foreign_archive_is_refused(tmp_path: Path) -> None:
    assert_refused(forged(tmp_path / "x.tar.gz", [member("holiday.jpg", b"sea")]), "not a backup of this product")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"product": "another"}, "not a backup of this product"),
        ({"format": 2}, "newer version"),
        ({"files": ["records.sqlite"]}, "manifest cannot be read"),
        ({"files": {"records.sqlite": 5}}, "manifest cannot be read"),
        ({"files": {"records.sqlite": [-1, "0"]}}, "no file of a data root"),
    ],
)
def test_a_manifest_that_is_none_of_ours_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    assert_refused(forged(tmp_path / "x.tar.gz", [manifest_of({}, **changes)]), said)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"\xff\xfe", b"null", b'{"product"'], ids=range(4))
def test_a_manifest_that_is_no_json_object_is_refused(tmp_path: Path, text: bytes) -> None:
    assert_refused(forged(tmp_path / "x.tar.gz", [member(MANIFEST, text)]), "not a backup")


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/evil", "datasets/../../evil", "C:\\evil", "datasets\\disc", "evil.exe", "logs/service.log",
        "datasets/con/ring/ok/20261123T071455123456-3f9a1c2d.png",
        "datasets/DISC/ring/ok/20261123T071455123456-3f9a1c2d.png",
        "datasets/disc/ring/ok/20261123T071455123456-3f9a1c2d.png/x",
        "models/disc/ring/v0001/../../../../evil", "models/disc/ring/v0001/model.json:stream", "layouts//x.json",
        "layouts/disc/../x.json", "records.sqlite-wal", "restore/plan.json", "freeze.json", "",
    ],
)  # fmt: skip
def test_a_path_that_no_data_root_has_is_refused(tmp_path: Path, name: str) -> None:
    packed = forged(tmp_path / "x.tar.gz", [manifest_of({name: b"evil"}), member(name, b"evil")])
    assert_refused(packed, "no file of a data root")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_and_pipes_are_refused(tmp_path: Path, kind: bytes) -> None:
    evil = member("records.sqlite", type=kind, linkname="/etc/passwd")
    assert_refused(forged(tmp_path / "x.tar.gz", [manifest_of({"records.sqlite": b""}), evil]), "not a plain file")


def test_a_file_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    packed = forged(tmp_path / "x.tar.gz", [manifest_of({}), member("settings.env", b"BACKEND_HOST=0.0.0.0")])
    assert_refused(packed, "not what the manifest says")


def test_a_file_that_comes_twice_is_refused(tmp_path: Path) -> None:
    once = {"settings.env": b"a"}
    twice = [member("settings.env", b"a"), member("settings.env", b"a")]
    assert_refused(forged(tmp_path / "x.tar.gz", [manifest_of(once), *twice]), "not what the manifest says")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert_refused(forged(tmp_path / "x.tar.gz", [manifest_of({"settings.env": b"a"})]), "settings.env.* is missing")


def test_another_content_of_the_same_size_is_refused(tmp_path: Path) -> None:
    packed = forged(tmp_path / "x.tar.gz", [manifest_of({"settings.env": b"a"}), member("settings.env", b"b")])
    assert_refused(packed, "another content")


def zeros(path: Path, told: int, size: int, name: str = "records.sqlite", kind: bytes = tarfile.REGTYPE) -> Path:
    """An archive whose second member is `size` zeros, made without holding them."""
    about = json.dumps({"format": 1, "product": PRODUCT, "files": {"records.sqlite": [told, "0" * 64]}}).encode()
    header, manifest = member(name, type=kind)[0], member(MANIFEST, about)
    header.size = size
    block = bytes(1 << 20)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(manifest[0].tobuf() + about + bytes(-len(about) % 512) + header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size >> 20):
            file.write(block)
    return path


def test_ten_gigabytes_of_zeros_are_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    """Ten are told, and three hundred MB of them are there: more than any memory or time this may cost."""
    bomb = zeros(tmp_path / "x.tar.gz", told=10 << 30, size=300 << 20)
    assert_refused(bomb, "more than 50 times")
    assert sum(path.stat().st_size for path in (tmp_path / "into").rglob("*")) == 0


def test_zeros_the_manifest_is_silent_about_are_refused(tmp_path: Path) -> None:
    assert_refused(zeros(tmp_path / "x.tar.gz", told=10, size=300 << 20), "not what the manifest says")


def test_zeros_behind_the_end_are_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes() + gzip.compress(bytes(300 << 20), 1))
    assert_refused(archive, "goes on behind its end")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_300_mb_is_not_read_into_memory(tmp_path: Path, kind: bytes) -> None:
    bomb = zeros(tmp_path / "x.tar.gz", told=10, size=300 << 20, name="x", kind=kind)
    assert_refused(bomb, "impossible size")


@pytest.mark.parametrize("change", [lambda t: t.replace(b"settings", b"Settings"), lambda t: t + b"rest"])
def test_the_manifest_has_to_be_the_first_member(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    first = member("settings.env", change(b"settings"))
    assert_refused(forged(tmp_path / "x.tar.gz", [first, manifest_of({})]), "does not begin with")
