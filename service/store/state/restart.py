"""Marker file: a worker asks the parent process to restart all workers."""

from __future__ import annotations

from pathlib import Path

from service.store.files import write_file


def ask_restart(data_root: Path) -> None:
    """Raises DiskFull."""
    write_file(_mark(data_root), b"")


def take_restart(data_root: Path) -> bool:
    """Whether a restart was asked for since the last call."""
    asked = _mark(data_root).exists()
    _mark(data_root).unlink(missing_ok=True)
    return asked


def _mark(data_root: Path) -> Path:
    return data_root / "locks" / "restart"
