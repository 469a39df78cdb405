"""Setup, supervisor and icon of the Windows product without its engine, built and installed within minutes.

The service has nothing to judge with, and has to say so: everything else is as in the editions that plants get. In
order: each test goes on from where the one before ended.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import prove
import pytest
import wine
from desktop import Desktop
from machine import Machine, free_port, health, wait_until

from service import __version__
from tests.kit.parts import fit
from tray.icon.menu import Colour

PORT, SCREENS = free_port(), free_port()
DATA = "drive_c/Datos de inspección"
SILENT = ("/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", "/START=0")
PROGRAMS = ("BrakeDiscTray.exe", "BrakeDiscService.exe", "BrakeDiscInspector.exe")
WAIT_S = 120.0


def missing(wine_root: Path) -> str:
    """What this machine lacks to be a Windows."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs Linux and root, to make a Debian with Wine"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "nothing may be mounted here"
    if not (wine_root / "usr" / "bin" / "wine").exists() and shutil.which("debootstrap") is None:
        return "needs debootstrap"
    return "" if shutil.which("npm") else "needs npm, which gets Inno Setup"


@pytest.fixture(scope="module")
def proof(wine_root: Path) -> Path:
    lack = missing(wine_root)
    if lack:
        pytest.skip(lack)
    return prove.light(wine_root)


@pytest.fixture(scope="module")
def setup(proof: Path) -> Path:
    return proof / "setups" / f"BrakeDiscInspector-{__version__}-light-setup.exe"


@pytest.fixture(scope="module")
def newer(proof: Path) -> Path:
    return proof / "setups" / "newer-setup.exe"


@pytest.fixture(scope="module")
def cuda(proof: Path) -> Path:
    """The same programs in a setup as that of the CUDA edition, which comes in slices."""
    return proof / "setups" / f"BrakeDiscInspector-{__version__}-cuda-setup.exe"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A drive with 64 MB."""
    folder = tmp_path_factory.mktemp("full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def machine(proof: Path, wine_root: Path, full: Path) -> Iterator[Machine]:
    machine = Machine(wine_root, proof / "windows", proof / "setups", proof.parent / "python", full)
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def desktop(machine: Machine) -> Desktop:
    return Desktop(machine)


def install(machine: Machine, setup: Path, *options: str) -> tuple[int, str]:
    """Exit code and log."""
    log = machine.folder / "setup.log"
    log.unlink(missing_ok=True)
    code, _ = machine.run(setup, *SILENT, f"/LOG={wine.windows_path(log)}", *options)
    return code, log.read_text("utf-8", "replace") if log.exists() else ""


def start_tray(machine: Machine) -> None:
    machine.start(machine.app / "BrakeDiscTray.exe", TRAY_LANGUAGE="en")
    wait_until(engine_is_missing, WAIT_S)


def engine_is_missing() -> bool:
    return (health(PORT) or {}).get("code") == "engine_failed"


def running(machine: Machine) -> list[str]:
    return [name for name in PROGRAMS if machine.processes(name)]


def test_a_full_drive_is_told_before_anything_is_changed(machine: Machine, setup: Path, full: Path) -> None:
    code, log = install(machine, setup, f"/DATAROOT={wine.windows_path(full / 'datos')}")
    assert code == 7, log[-3000:]
    assert "MB free, and 2048 MB are needed" in log
    assert not machine.app.exists()
    assert not list(full.iterdir())


# A driver's file, by its version; Windows' Python makes it of one of its own.
STAMP = """
import pathlib, shutil, sys
from PyInstaller.utils.win32 import versioninfo
path, numbers = sys.argv[1], tuple(map(int, sys.argv[2].split(".")))
shutil.copyfile(pathlib.Path(sys.executable).with_name("python3.dll"), path)
info = versioninfo.VSVersionInfo(ffi=versioninfo.FixedFileInfo(filevers=numbers, prodvers=numbers), kids=[])
versioninfo.write_version_info_to_executable(path, info)
"""


@pytest.mark.parametrize(
    ("files_version", "says", "complains"),
    [
        ("", "No NVIDIA driver was found", True),
        ("27.21.14.5671", "The NVIDIA driver is version 456.71; this edition needs 525 or newer", True),
        ("31.0.15.2849", "NVIDIA driver: 528.49", False),
    ],
)
def test_the_setup_for_cuda_looks_for_the_driver(
    machine: Machine, cuda: Path, proof: Path, full: Path, files_version: str, says: str, complains: bool
) -> None:
    file = machine.prefix / "drive_c/windows/system32/nvcuda.dll"
    if files_version:
        python = proof.parent / "python" / "python.exe"
        code, printed = machine.run(python, "-c", STAMP, wine.windows_path(file), files_version)
        assert code == 0, printed
    code, log = install(machine, cuda, f"/DATAROOT={wine.windows_path(full / 'datos')}")
    assert code == 7, "stopped by the full drive, after the driver's check"
    assert says in log
    assert ("nvidia.com/drivers" in log) is complains


def test_it_installs_from_slices_without_a_question(machine: Machine, cuda: Path) -> None:
    where = (f"/PORT={PORT}", f"/SCREENSPORT={SCREENS}", r"/DATAROOT=C:\Datos de inspección")
    code, log = install(machine, cuda, *where)
    assert code == 0, log[-3000:]
    assert list(cuda.parent.glob(f"{cuda.stem}-1.bin"))
    assert f"BACKEND_PORT={PORT}" in (machine.prefix / DATA / "settings.env").read_text("utf-8")
    assert sorted(path.name for path in machine.app.glob("*.exe")) == [
        "BrakeDiscInspector.exe", "BrakeDiscService.exe", "BrakeDiscTray.exe", "brakedisc.exe",
    ]  # fmt: skip
    assert not (machine.installed / "new").exists()


def test_without_an_engine_it_says_so_and_judges_nothing(machine: Machine, desktop: Desktop) -> None:
    start_tray(machine)
    wait_until(lambda: health(SCREENS), WAIT_S)
    assert running(machine) == list(PROGRAMS)
    said = health(PORT) or {}
    assert (said["status"], said["version"]) == ("error", __version__)
    assert "Install the program again" in said["reason"]
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as client:
        assert fit(client).status_code == 503
    desktop.wait_for_icon(Colour.RED, 60)
    assert desktop.windows() == []


def test_stop_and_start_by_mouse(desktop: Desktop) -> None:
    desktop.press(desktop.question("stop"), "alt+y")
    desktop.wait_for_icon(Colour.GREY, 60)
    assert health(PORT) is None
    desktop.choose("start")
    wait_until(engine_is_missing, WAIT_S)


def test_a_killed_service_is_back(machine: Machine) -> None:
    before = (health(PORT) or {})["pid"]
    for process in machine.processes("BrakeDiscService.exe"):
        process.kill()
    wait_until(lambda: (health(PORT) or {}).get("pid", before) != before, 60)


def test_a_second_tray_ends_and_brings_the_page_of_the_first_forward(machine: Machine) -> None:
    opened = machine.browser()
    (first,) = machine.processes("BrakeDiscTray.exe")
    code, printed = machine.run(machine.app / "BrakeDiscTray.exe")
    assert code == 0, printed
    wait_until(lambda: f"http://127.0.0.1:{SCREENS}/" in opened(), 60)
    assert [process.pid for process in machine.processes("BrakeDiscTray.exe")] == [first.pid]


def test_a_killed_tray_leaves_nothing(machine: Machine) -> None:
    (tray,) = machine.processes("BrakeDiscTray.exe")
    tray.kill()
    wait_until(lambda: not running(machine), 30)


def test_a_taken_port_is_named(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", PORT)):
        code, printed = machine.run(machine.app / "brakedisc.exe", "serve")
    assert code == 2
    assert str(PORT) in printed


def test_no_update_of_a_version_that_does_not_pass_its_own_check(machine: Machine, newer: Path) -> None:
    start_tray(machine)
    code, log = install(machine, newer)
    assert code == 7, log[-3000:]
    assert engine_is_missing(), "it was not even stopped"
    assert version(machine) == __version__


def test_forced_it_is_tried_and_goes_back_and_nobody_is_told_to_inspect(machine: Machine, newer: Path) -> None:
    """Neither version passes here, so after going back the word is: do not inspect."""
    code, log = install(machine, newer, "/FORCE")
    assert code == 22, log[-3000:]
    assert not running(machine)
    assert version(machine) == __version__
    assert [path.name for path in machine.installed.iterdir() if path.is_dir()] == ["app"]
    start_tray(machine)
    assert (health(PORT) or {})["training_frozen"] is True


def test_an_older_version_is_refused(machine: Machine, setup: Path) -> None:
    says = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\{6B0D5A3E-8F5B-4E0E-9C35-7B7D2A52C1F4}_is1"
    reg = machine.prefix / "drive_c/windows/system32/reg.exe"
    assert machine.run(reg, "add", says, "/v", "DisplayVersion", "/d", "9.0.0", "/f")[0] == 0
    code, log = install(machine, setup)
    assert code == 1
    assert "newer version is installed" in log
    assert machine.processes("BrakeDiscService.exe")


def test_the_same_version_again_mends_a_damaged_program(machine: Machine, setup: Path) -> None:
    (machine.app / "_internal" / "modules.pyz").write_bytes(b"damaged")
    code, log = install(machine, setup, "/FORCE")
    assert code == 0, log[-3000:]
    start_tray(machine)


def test_uninstalling_leaves_the_data_and_nothing_else(machine: Machine) -> None:
    code, _ = machine.run(machine.installed / "unins000.exe", "/VERYSILENT", "/SUPPRESSMSGBOXES")
    assert code == 0
    wait_until(lambda: not machine.installed.exists(), 60)
    assert running(machine) == []
    assert f"BACKEND_PORT={PORT}" in (machine.prefix / DATA / "settings.env").read_text("utf-8")


def test_installed_again_it_finds_the_data(machine: Machine, setup: Path) -> None:
    where = (f"/PORT={PORT}", f"/SCREENSPORT={SCREENS}", r"/DATAROOT=C:\Datos de inspección")
    code, log = install(machine, setup, *where)
    assert code == 0, log[-3000:]
    start_tray(machine)
    assert (health(PORT) or {})["training_frozen"] is True, "as it was before the program went"


def version(machine: Machine) -> str:
    code, printed = machine.run(machine.app / "brakedisc.exe", "--version")
    assert code == 0
    return printed.split()[-1]
