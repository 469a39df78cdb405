"""`doctor`: checks GPU, driver, weights, disk and port, and says how to mend what fails."""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from service import __version__
from service.cli.client import Client
from service.engine.weights import best_available, require_weights, weights_folders
from service.errors import Problem
from service.process.client import NoAnswer
from service.process.port import port_owner
from service.settings import Settings
from service.store.models import Models
from service.store.records.database import open_database

GOOD, POOR, BAD = "ok", "poor", "bad"
MIN_MEMORY_GB, MIN_FREE_GB = 8, 10
MIN_DRIVER = 580  # CUDA 13's; CUDA 12 would do with 525


@dataclass(frozen=True)
class Finding:
    """`state` is ok, poor (works, but) or bad (does not work); `advice` says what to do then."""

    what: str
    state: str
    found: str
    advice: str = ""


def examine(settings: Settings, console: Console) -> int:
    """Exit code 1 when something is bad."""
    checks: list[Callable[[Settings], Finding]] = [
        _system,
        _memory,
        _gpu,
        _torch,
        _weights,
        _disk,
        _records,
        _models,
        _port,
    ]
    findings = [check(settings) for check in checks]
    table = Table("check", "state", "found", "what to do", title=f"BrakeDisc Inspector {__version__}")
    for finding in findings:
        colour = {GOOD: "green", POOR: "yellow", BAD: "red"}[finding.state]
        table.add_row(finding.what, f"[{colour}]{finding.state}[/]", finding.found, finding.advice)
    console.print(table)
    return 1 if any(finding.state == BAD for finding in findings) else 0


def _system(_: Settings) -> Finding:
    return Finding("system", GOOD, f"{platform.platform()}, Python {platform.python_version()}")


def _memory(_: Settings) -> Finding:
    total_gb = psutil.virtual_memory().total / 1e9
    found = f"{total_gb:.0f} GB, {psutil.cpu_count(logical=False) or psutil.cpu_count()} cores"
    if total_gb < MIN_MEMORY_GB:
        return Finding("memory", POOR, found, f"At least {MIN_MEMORY_GB} GB are recommended.")
    return Finding("memory", GOOD, found)


def _gpu(settings: Settings) -> Finding:
    """What the driver says, without torch."""
    program = shutil.which("nvidia-smi")
    if settings.device == "cpu":
        return Finding("GPU", GOOD, "not asked for (BACKEND_DEVICE=cpu)")
    wanted = BAD if settings.device.startswith("cuda") else POOR
    if program is None:
        advice = "The CPU is used, which is slower. With an NVIDIA GPU: install its driver."
        return Finding("GPU", wanted, "no NVIDIA driver (nvidia-smi)", advice)
    query = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    if answer.returncode != 0 or not answer.stdout.strip():
        return Finding(
            "GPU", wanted, (answer.stdout or answer.stderr).strip()[:200], "Restart the PC; reinstall the driver."
        )
    found = answer.stdout.strip().splitlines()[0]
    driver = found.split(",")[1].strip().split(".")[0]
    if driver.isdigit() and int(driver) < MIN_DRIVER:
        return Finding("GPU", wanted, found, f"Update the driver to {MIN_DRIVER} or newer.")
    return Finding("GPU", GOOD, found)


def _torch(settings: Settings) -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", BAD, str(error)[:200], "Install the program again.")
    found = f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}"
    if torch.cuda.is_available():
        return Finding("torch", GOOD, f"{found}, uses {torch.cuda.get_device_name(0)}")
    state = BAD if settings.device.startswith("cuda") else GOOD
    advice = "Install an NVIDIA driver, or set BACKEND_DEVICE=cpu." if state == BAD else ""
    return Finding("torch", state, f"{found}, uses the CPU", advice)


def _weights(settings: Settings) -> Finding:
    folders = weights_folders(settings.weights_dir, settings.data_root)
    try:
        found = best_available(folders) if settings.backbone == "auto" else require_weights(settings.backbone, folders)
    except Problem as problem:
        return Finding("weights", BAD, "none", problem.detail)
    if found.name == "efficientnet_lite0":
        return Finding(
            "weights", POOR, f"{found.name} ({found.source})", "`brakedisc weights get resnet50` finds more."
        )
    return Finding("weights", GOOD, f"{found.name} ({found.source})")


def _models(settings: Settings) -> Finding:
    found = [version for version in Models(settings.data_root).everything() if version.current]
    said = f"{len(found)} in service"
    old = [version for version in found if version.old_calibration]
    if old:
        names = ", ".join(f"{version.role_id}/{version.roi_id}" for version in old[:5])
        return Finding("models", POOR, f"{said}, {len(old)} calibrated the old way ({names})", "Teach them anew.")
    return Finding("models", GOOD, said)


def _disk(settings: Settings) -> Finding:
    folder = settings.data_root
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".tmp-doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        advice = "Give this user the right to write there, or set BACKEND_DATA_ROOT."
        return Finding("data root", BAD, f"{folder}: {error.strerror}", advice)
    free_gb = shutil.disk_usage(folder).free / 1e9
    found = f"{folder}, {free_gb:.0f} GB free"
    if free_gb < MIN_FREE_GB:
        return Finding("data root", POOR, found, "Free some space: pictures of inspections need it.")
    return Finding("data root", GOOD, found)


def _records(settings: Settings) -> Finding:
    path = settings.data_root / "records.sqlite"
    if not path.exists():
        return Finding("records", GOOD, "none yet")
    try:
        open_database(path).dispose()
    except Problem as problem:
        return Finding("records", BAD, str(path), problem.detail)
    return Finding("records", GOOD, f"{path.stat().st_size / 1e6:.1f} MB")


def _port(settings: Settings) -> Finding:
    address = f"{settings.host}:{settings.port}"
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex(("127.0.0.1", settings.port)) != 0:
            return Finding("port", GOOD, f"{address} is free")
    try:
        health = Client(f"http://127.0.0.1:{settings.port}").health()
        return Finding("port", GOOD, f"{address}: this service, {health['status']}, {health['model']}")
    except (NoAnswer, ValueError, KeyError):
        return Finding("port", BAD, f"{address} is taken", f"{port_owner(settings.port)} End it, or set BACKEND_PORT.")
