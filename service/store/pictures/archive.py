"""Pictures and heat maps of inspections and frames: `inspections/YYYY/MM/DD/<inspection_id>.{image,heatmap.png}`.

Written by a thread behind a bounded queue: when the disk is slow or nearly full, pictures are left out and counted;
the verdict and its record never wait for them.
"""

from __future__ import annotations

import logging
import queue
import re
import shutil
import threading
from pathlib import Path

from service.errors import NotFound, Problem
from service.store.files import sweep_orphans, write_file

log = logging.getLogger(__name__)
_ID = re.compile(r"(\d{4})(\d{2})(\d{2})T\d{12}-[0-9a-f]{8}")
_QUEUE = 64


class Archive:
    def __init__(self, data_root: Path, min_free_bytes: int, ok_every: int = 1) -> None:
        """`ok_every`: of OK parts, every n-th picture is kept; 0: none."""
        self._data_root = data_root
        self._ok_every, self._ok_count, self._counting = ok_every, 0, threading.Lock()
        self._min_free_bytes = min_free_bytes
        self._waiting: queue.Queue[tuple[str, bytes | None, bytes | None] | None] = queue.Queue(_QUEUE)
        self.left_out = 0  # pictures that should have been kept but were not, since the start
        for day in sorted((data_root / "inspections").glob("*/*/*"))[-2:]:  # where a killed service was writing
            sweep_orphans(day)
        self._writer = threading.Thread(target=self._write_forever, name="archive", daemon=True)
        self._writer.start()

    def wants(self, verdict: str | None) -> bool:
        """Every NG, every uncalibrated, every n-th OK."""
        if verdict != "OK":
            return True
        with self._counting:
            self._ok_count += 1
            return self._ok_every > 0 and self._ok_count % self._ok_every == 0

    def keep(self, inspection_id: str, image: bytes | None, heatmap_png: bytes | None) -> None:
        """Queue a picture as it was received, and its heat map, if any; returns at once.

        An ROI of a frame has no picture of its own: it is cut from the frame's, which is kept under the frame's id.
        """
        try:
            self._waiting.put_nowait((inspection_id, image, heatmap_png))
        except queue.Full:
            self._leave_out(inspection_id, "the archive's queue is full: the disk is too slow")

    def image(self, inspection_id: str) -> bytes:
        return self._read(inspection_id, "image")

    def heatmap(self, inspection_id: str) -> bytes:
        """PNG bytes."""
        return self._read(inspection_id, "heatmap.png")

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._waiting.put(None)
        self._writer.join()

    def _write_forever(self) -> None:
        while (item := self._waiting.get()) is not None:
            inspection_id, image, heatmap_png = item
            try:
                if shutil.disk_usage(self._data_root).free < self._min_free_bytes:
                    self._leave_out(inspection_id, "free disk space is under BACKEND_MIN_FREE_MB")
                    continue
                if image is not None:
                    write_file(self._path(inspection_id, "image"), image)
                if heatmap_png is not None:
                    write_file(self._path(inspection_id, "heatmap.png"), heatmap_png)
            except (OSError, Problem) as error:
                self._leave_out(inspection_id, str(error))

    def _leave_out(self, inspection_id: str, reason: str) -> None:
        self.left_out += 1
        log.error("picture not kept", extra={"inspection_id": inspection_id, "reason": reason})

    def _read(self, inspection_id: str, kind: str) -> bytes:
        try:
            return self._path(inspection_id, kind).read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"The {kind.split('.')[0]} of inspection {inspection_id!r} was not kept "
                "(BACKEND_ARCHIVE_OK_EVERY says which are)."
            ) from None

    def _path(self, inspection_id: str, kind: str) -> Path:
        match = _ID.fullmatch(inspection_id)
        if not match:
            raise NotFound(f"No inspection {inspection_id!r}; GET /inspections lists them.")
        return self._data_root / "inspections" / match[1] / match[2] / match[3] / f"{inspection_id}.{kind}"
