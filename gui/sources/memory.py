"""The files of a watched folder that have been inspected, kept across restarts, one line a file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from service.store.files import write_file

log = logging.getLogger(__name__)


class Memory:
    """`known` is false until the folder is watched for the first time."""

    def __init__(self, folder: Path, watched: Path) -> None:
        name = hashlib.sha256(str(watched).encode()).hexdigest()[:16]
        self._path = folder / f"watched-{name}.txt"
        self._done, self.known = _read(self._path)

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def add(self, key: str) -> None:
        """The key is on the disk when `add` returns. Raises OSError."""
        self._done.add(key)
        with open(self._path, "a", encoding="utf-8", newline="\n") as file:
            file.write(_line(key))

    def start(self, present: Iterable[str]) -> None:
        """Files that are present count as done, all others are forgotten. Raises DiskFull, OSError."""
        self._done, self.known = set(present), True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path, "".join(map(_line, sorted(self._done))).encode())

    def forget_all_but(self, present: set[str]) -> None:
        """Forget files that are gone, so that the memory does not grow for ever."""
        if len(self._done) > 2 * len(present) + 1000:
            self.start(self._done & present)


def _line(key: str) -> str:
    return key.replace("\n", " ") + "\n"


def _read(path: Path) -> tuple[set[str], bool]:
    try:
        return set(path.read_text("utf-8", errors="replace").splitlines()), True
    except FileNotFoundError:
        return set(), False
    except OSError as error:
        log.error("what was inspected cannot be read", extra={"path": str(path), "detail": str(error)})
        return set(), False
