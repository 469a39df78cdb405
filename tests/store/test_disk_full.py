"""A full disk: named as such, nothing half written, the old model serves, and it goes on when there is room again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient

from service.errors import DiskFull
from tests.conftest import settings_for
from tests.kit.parts import ROI, SCALE, assert_problem, calibrate, fit, good_pictures, infer, serving, state, upload
from tests.kit.small_disk import fill


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 12 MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root on Linux")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this machine may not mount: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for part in ("models", "datasets")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def assert_only_refused(client: TestClient, data_root: Path) -> None:
    """Whatever is tried on a disk this full is a 507 and changes nothing."""
    before = content(data_root)
    for answer in (fit(client, 4), upload(client, 3), calibrate(client), upload(client, 1, label="ng")):
        assert_problem(answer, 507, "full", "free some space")
    assert content(data_root) == before
    assert list(data_root.rglob(".tmp-*")) == []


def test_on_a_really_full_disk_nothing_changes_and_when_there_is_room_all_goes_on(
    small_disk: Path, taught_root: Path
) -> None:
    data_root = small_disk / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        assert infer(client).json()["verdict"] == "OK"
        assert upload(client, 2).status_code == 200
        filler = fill(small_disk, leave_kb=0)
        assert_only_refused(client, data_root)
        # no verdict leaves without a record; what can be answered without one still is
        assert_problem(infer(client), 507, "record could not be written")
        assert state(client)["serving_version"] == 1
        assert client.get("/health").status_code == 200
        assert client.get("/inspections").json()["total"] == 1
        filler.unlink()
        assert infer(client).json()["verdict"] == "OK"
        assert fit(client, 4).json()["model_version"] == 2
        assert upload(client, 2).json()["count"] == 4


@pytest.mark.parametrize("leave_kb", [24, 60, 150, 300])
def test_when_the_disk_gets_full_in_the_middle_of_it_nothing_half_done_remains(
    small_disk: Path, taught_root: Path, leave_kb: int
) -> None:
    data_root = small_disk / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        infer(client)
        upload(client, 1)
        fill(small_disk, leave_kb)
        samples = state(client)["dataset"]["ok"]
        uploaded = client.post("/datasets/ok/upload", data={**ROI, "mm_per_px": SCALE}, files=good_pictures(6))
        if uploaded.status_code != 200:
            assert_problem(uploaded, 507, "full")
            assert state(client)["dataset"]["ok"] == samples
        fitted = fit(client, 6, memory_fit="true")
        if fitted.status_code != 200:
            assert_problem(fitted, 507, "full")
            assert state(client)["versions"] == [1]
        assert {uploaded.status_code, fitted.status_code} >= {507}
        assert list(data_root.rglob(".tmp-*")) == []
    (small_disk / "filler").unlink()
    with serving(settings_for(data_root)) as client:
        assert state(client)["problem"] is None
        assert infer(client, allow_uncalibrated="true").status_code == 200


def test_when_the_system_says_full_while_a_file_is_made_durable_nothing_changes(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same at the border of the operating system, for machines that may not mount."""
    with serving(settings_for(data_root)) as client:
        infer(client)
        upload(client, 2)

        def full(_: int) -> NoReturn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            assert_only_refused(client, data_root)
        assert state(client)["versions"] == [1]
        assert infer(client).json()["verdict"] == "OK"
        assert fit(client, 3).status_code == 200


def test_when_only_the_last_sample_finds_no_room_none_of_the_upload_stays(
    data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 11  # a sample takes four syncs: two files and twice their folder
    real = os.fsync

    def full_later(handle: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with serving(settings_for(data_root)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_later)
            assert_problem(upload(client, 4), 507, "full")
        assert left < 0
        assert state(client)["dataset"] == {"ok": 0, "ng": 0}
        assert [path for path in (data_root / "datasets").rglob("*") if path.is_file()] == []


def test_a_service_that_starts_on_a_full_disk_says_so_and_blames_no_file(small_disk: Path, taught_root: Path) -> None:
    data_root = small_disk / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        infer(client)
    fill(small_disk, leave_kb=0)
    with pytest.raises(DiskFull, match="free some space"), serving(settings_for(data_root)):
        pass
    (small_disk / "filler").unlink()
    with serving(settings_for(data_root)) as client:
        assert client.get("/inspections").json()["total"] == 1
        assert infer(client).json()["verdict"] == "OK"
