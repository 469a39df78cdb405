"""What a PC may be like: long paths, no rights, no TEMP, other languages, a wrong clock, a share that goes away."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import wine
from desktop import Desktop
from machine import Machine, free_port, health, is_ready, wait_until

from tests.kit.browser import Inspector
from tests.kit.line_parts import ROLE, good, spoiled, teach_line
from tests.kit.parts import ROI

READY_S = 120.0
NOBODY = 65534
SYSTEM = "drive_c/windows/system32"


@contextmanager
def service(machine: Machine, programs: Path, data_root: str, *starter: str, **environment: str) -> Iterator[Inspector]:
    """One that runs alone on that data root, until it is killed; nothing has opened a window by then.

    `starter`: one of Windows' own programs and its words, the last one completed by the service's path.
    """
    port, program = free_port(), programs / "BrakeDiscService.exe"
    where = {"BACKEND_DATA_ROOT": data_root, "BACKEND_PORT": str(port), "BACKEND_MIN_FREE_MB": "0"}
    if starter:
        own, *words, last = starter
        machine.start(machine.prefix / SYSTEM / own, *words, last + wine.windows_path(program), **where, **environment)
    else:
        machine.start(program, **where, **environment)
    try:
        wait_until(lambda: is_ready(port), READY_S)
        yield Inspector(machine.prefix, service_port=port)
        assert Desktop(machine).windows() == []
    finally:
        end(machine)


def end(machine: Machine) -> None:
    for process in machine.processes("BrakeDiscService.exe"):
        process.kill()
    wait_until(lambda: not machine.processes("BrakeDiscService.exe"), 30)


def inspect(line: Inspector, picture: bytes) -> httpx.Response:
    form = {"role_id": ROLE, "heatmap": "false"}
    return httpx.post(f"{line.service_url}/inspect", data=form, files={"image": ("part.png", picture)}, timeout=60)


def teaches_and_judges(line: Inspector) -> None:
    """The whole way once: pictures in, a model, one verdict of each kind, a backup."""
    teach_line(line)
    own = {**ROI, "mm_per_px": layout_scale(line), "threshold": 30.0}
    assert httpx.post(f"{line.service_url}/calibrate_ng", json=own, timeout=60).status_code == 200
    judges(line)
    assert httpx.post(f"{line.service_url}/backups", timeout=120).status_code == 200


def layout_scale(line: Inspector) -> float:
    scale: float = httpx.get(f"{line.service_url}/layouts/{ROLE}").json()["mm_per_px"]
    return scale


def judges(line: Inspector) -> None:
    verdicts = [inspect(line, picture).json()["verdict"] for picture in (good(1), spoiled())]
    assert verdicts == ["OK", "NG"]


@pytest.mark.parametrize(
    ("program", "subsystem"),
    [("BrakeDiscService", 2), ("BrakeDiscTray", 2), ("BrakeDiscInspector", 2), ("brakedisc", 3)],
)
def test_only_the_command_line_has_a_console(programs: Path, program: str, subsystem: int) -> None:
    """The field `Subsystem` of the PE optional header: 2 = Windows GUI, 3 = console."""
    head = (programs / f"{program}.exe").read_bytes()[:4096]
    (header,) = struct.unpack_from("<I", head, 0x3C)
    assert struct.unpack_from("<H", head, header + 24 + 68) == (subsystem,)


def test_started_without_handles_it_runs(machine: Machine, programs: Path) -> None:
    """As the shell starts a program: no stdin, stdout or stderr to inherit."""
    with service(machine, programs, r"C:\without handles", "start.exe", ""):
        pass


def test_paths_over_260_characters(machine: Machine, programs: Path) -> None:
    folder = "\\".join(["a folder as deep as somebody once made it"] * 5)
    with service(machine, programs, rf"C:\{folder}\datos de inspección") as line:
        teaches_and_judges(line)
    files = [path for path in (machine.prefix / "drive_c").rglob("*") if "datos de inspección" in path.parts]
    longest = max(len(str(path.relative_to(machine.prefix / "drive_c"))) + 3 for path in files)
    assert longest > 260


def test_without_a_folder_for_temporary_files(machine: Machine, programs: Path) -> None:
    """TEMP and TMP name a drive that does not exist."""
    nowhere = r"set TEMP=Q:\none&& set TMP=Q:\none&& "
    with service(machine, programs, r"C:\no temp", "cmd.exe", "/c", nowhere) as line:
        teaches_and_judges(line)


@pytest.mark.parametrize("language", ["de_DE", "tr_TR"])
def test_with_the_numbers_and_letters_of_another_language(machine: Machine, programs: Path, language: str) -> None:
    """Both write a comma where a program writes a point; in Turkish the small letter of I is another one, too."""
    tongue = {"LC_ALL": f"{language}.UTF-8", "LANG": f"{language}.UTF-8"}
    with service(machine, programs, rf"C:\{language}", **tongue) as line:
        key = r"HKEY_CURRENT_USER\Control Panel\International"
        reg = machine.prefix / SYSTEM / "reg.exe"
        assert machine.run(reg, "query", key, "/v", "sDecimal", **tongue)[1].split()[-1] == ","
        teaches_and_judges(line)


@pytest.fixture(scope="module")
def taught(machine: Machine, programs: Path) -> Path:
    """A data root that has models and records."""
    with service(machine, programs, r"C:\taught") as line:
        teaches_and_judges(line)
    return machine.prefix / "drive_c/taught"


def test_a_clock_that_was_set_back(machine: Machine, programs: Path, taught: Path) -> None:
    """What was recorded lies two days ahead: it stays, and parts are inspected and recorded all the same."""
    root = machine.prefix / "drive_c/clock"
    shutil.copytree(taught, root)
    with closing(sqlite3.connect(root / "records.sqlite")) as database:
        for table, column in (("inspections", "inspection_id"), ("frames", "frame_id")):
            rows = database.execute(f"SELECT {column}, time_utc FROM {table}").fetchall()
            ahead = [((datetime.fromisoformat(when) + timedelta(days=2)).isoformat(), key) for key, when in rows]
            database.executemany(f"UPDATE {table} SET time_utc = ? WHERE {column} = ?", ahead)
        database.commit()
        (before,) = database.execute("SELECT count(*) FROM frames").fetchone()
    with service(machine, programs, r"C:\clock") as line:
        judges(line)
        found = httpx.get(f"{line.service_url}/frames").json()
        assert found["total"] == before + 2
        assert httpx.post(f"{line.service_url}/backups", timeout=120).status_code == 200


def test_a_share_that_goes_away_is_an_error_and_never_ok(machine: Machine, programs: Path, taught: Path) -> None:
    """A drive that is not there for a while: no verdict without its record, a clear state; it recovers by itself."""
    share, drive = machine.folder / "share", machine.prefix / "dosdevices" / "s:"
    shutil.copytree(taught, share / "brakedisc")
    drive.symlink_to(share)
    try:
        with service(machine, programs, r"S:\brakedisc") as line:
            judges(line)
            drive.unlink()
            share.rename(machine.folder / "share that is gone")
            said = inspect(line, good(1))
            assert said.status_code >= 500, said.text
            wait_until(lambda: said_of(line)["status"] not in ("ok", "loading"), 60)
            assert said_of(line)["reason"]
            (machine.folder / "share that is gone").rename(share)
            drive.symlink_to(share)
            wait_until(lambda: said_of(line)["status"] == "ok", 60)
            judges(line)
    finally:
        drive.unlink(missing_ok=True)


def said_of(line: Inspector) -> dict[str, Any]:
    return health(line.service_port) or {}


def test_a_user_without_rights_and_programs_that_nobody_may_write(
    machine: Machine, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The programs belong to another user; what this one may write is its own profile and the data root."""
    for folder in (tmp_path_factory.getbasetemp(), tmp_path_factory.getbasetemp().parent):
        folder.chmod(0o755)
    user = Machine(machine.wine_root, tmp_path_factory.mktemp("user"), programs, user=NOBODY)
    try:
        assert all(path.stat().st_uid != NOBODY for path in (programs, programs / "_internal"))
        with service(user, programs, r"C:\users\Public\BrakeDisc") as line:
            teaches_and_judges(line)
    finally:
        user.close()
