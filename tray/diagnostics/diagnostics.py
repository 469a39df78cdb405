"""The zip for support: logs, settings and findings, without keys and without pictures."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import platformdirs

from service import __version__
from service.settings import SETTINGS_FILE, Settings
from tray.diagnostics.secrets import Scrubber, is_secret, secrets_of, settings_file_values
from tray.supervise.probe import ask_health
from tray.supervise.program import program_command, service_program
from tray.supervise.status import Status

DOCTOR_S = 180.0  # it loads torch from a cold disk
_LOGS_LIMIT = 100_000_000  # newest first; about 10 MB once packed
_FILES_LISTED = 200_000
_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0  # CREATE_NO_WINDOW: no console flashes up
_OURS = ("BACKEND_", "TRAY_", "GUI_", "PATCHCORE_", "UVICORN_", "CUDA_", "BRAKEDISC_")


def write_diagnostics(settings: Settings, status: Status, folder: Path, doctor_s: float = DOCTOR_S) -> Path:
    """Writes `brakedisc-diagnostics-<UTC>.zip` into `folder`. Raises OSError; what stays unknown is said inside."""
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"brakedisc-diagnostics-{moment}.zip"
    unfinished = path.with_suffix(".part")
    scrubber = _scrubber(settings)
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, words in _texts(settings, status, doctor_s):
                archive.writestr(name, scrubber.text(words))
            for log in _newest_logs(settings.data_root / "logs"):
                _add(archive, f"logs/{log.name}", log, scrubber)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def default_folder(settings: Settings) -> Path:
    """The desktop, where people find it; the data root where there is none, as for a service user."""
    desktop = platformdirs.user_desktop_path()
    return desktop if desktop.is_dir() else settings.data_root / "diagnostics"


def doctor_command() -> list[str]:
    return [*program_command("brakedisc", "service.cli"), "doctor"]


def _texts(settings: Settings, status: Status, doctor_s: float) -> Iterator[tuple[str, str]]:
    health = ask_health(service_program(settings), timeout_s=5)
    yield "health.json", _json(health if health is not None else "no answer")
    yield "status.json", _json(asdict(status))
    yield "settings.json", _json(_settings(settings))
    yield "versions.txt", "\n".join(_versions()) + "\n"
    yield "doctor.txt", _doctor(settings, doctor_s)
    yield "files.txt", "\n".join(_files(settings.data_root)) + "\n"


def _scrubber(settings: Settings) -> Scrubber:
    in_file = settings_file_values(_settings_file(settings))
    in_use = {"BACKEND_API_KEY": settings.api_key}
    return Scrubber({*secrets_of(_environment(), in_file, in_use), *settings.api_keys})


def _environment() -> dict[str, str]:
    """Only our own variables: another program's `KEYBOARD=1` as a secret would black out every 1."""
    return {name: value for name, value in os.environ.items() if name.startswith(_OURS)}


def _settings_file(settings: Settings) -> str:
    try:
        return (settings.data_root / SETTINGS_FILE).read_text("utf-8-sig", errors="replace")
    except OSError:
        return ""


def _settings(settings: Settings) -> dict[str, object]:
    """In use, from the environment, from the file: which of them counts is often the question."""
    return {
        "in_use": _without_secrets(settings.model_dump(mode="json")),
        "environment": _without_secrets(_environment()),
        SETTINGS_FILE: _without_secrets(settings_file_values(_settings_file(settings))),
    }


def _without_secrets(values: dict[str, str]) -> dict[str, str]:
    return {name: "[removed]" if value and is_secret(name) else value for name, value in values.items()}


def _versions() -> Iterator[str]:
    yield f"brakedisc-inspector {__version__}"
    yield f"python {platform.python_version()} ({sys.executable})"
    yield f"{platform.platform()} {platform.machine()}"
    yield ""
    yield from sorted({f"{found.name} {found.version}" for found in metadata.distributions()}, key=str.lower)


def _doctor(settings: Settings, doctor_s: float) -> str:
    """Its output; why there is none is worth as much."""
    # wide: a table folded at 80 columns would fold a path, or a key that has to be found
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "400"}
    environment["BACKEND_DATA_ROOT"] = str(settings.data_root)
    try:
        done = subprocess.run(
            doctor_command(),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=doctor_s,
            check=False,
            creationflags=_NO_WINDOW,
        )
    except subprocess.TimeoutExpired as late:
        return f"{(late.stdout or b'').decode('utf-8', 'replace')}\nno end within {doctor_s:g} s\n"
    except OSError as error:
        return f"brakedisc doctor cannot be started: {error}\n"
    return f"{done.stdout.decode('utf-8', 'replace')}\nexit code {done.returncode}\n"


def _files(data_root: Path) -> Iterator[str]:
    """Size and path of every file: names alone, no content."""
    listed = 0
    for folder, _, names in os.walk(data_root):
        for name in sorted(names):
            path = Path(folder) / name
            if listed == _FILES_LISTED:
                yield f"... and more than these {_FILES_LISTED}"
                return
            listed += 1
            yield f"{_size(path):>12}  {path.relative_to(data_root).as_posix()}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile
        return -1


def _newest_logs(folder: Path) -> Iterator[Path]:
    taken = 0
    logs = [path for path in folder.glob("*") if path.is_file()]
    for path in sorted(logs, key=lambda path: path.stat().st_mtime, reverse=True):
        taken += _size(path)
        if taken > _LOGS_LIMIT:
            return
        yield path


def _add(archive: zipfile.ZipFile, name: str, path: Path, scrubber: Scrubber) -> None:
    """A log that rotates away meanwhile is left out."""
    try:
        with open(path, "rb") as file, archive.open(name, "w") as target:
            for chunk in scrubber.chunks(file):
                target.write(chunk)
    except FileNotFoundError:
        return


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
