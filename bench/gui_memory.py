"""Memory of the screens over a long run: `python -m bench.gui_memory [PARTS]`; 10,000 parts are eight hours of a line.

The real inspector with Chromium before it, the simulated camera as fast as the line takes parts, the service on the
engine's twin. Resident memory of the inspector's process, without its browser, is read from the system every 500 parts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench.tables import print_table
from tests.kit.browser import Inspector, by, chromium, open_page
from tests.kit.line_parts import pictures, prefer, teach_line

EVERY = 500


def main(parts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Inspector(Path(folder) / "line")
        try:
            taken = _measured(made, parts)
        finally:
            made.stop_gui()
            made.stop_service()
    warm = taken[0][1]  # after the first 500 parts: what is loaded once is there
    rows = [(f"{n:,}", mb, 100 * (mb / warm - 1)) for n, mb in taken]
    print_table(f"Memory of the inspector, {parts:,} parts", ("parts", "MB", "growth %"), rows)


def _measured(made: Inspector, parts: int) -> list[tuple[int, float]]:
    made.start_service("tests.kit.twin_service")
    teach_line(made)
    folder = pictures(made.folder / "camera")
    prefer(made, source={"kind": "simulated", "path": str(folder), "period_s": 0.01})
    made.start_gui()
    taken: list[tuple[int, float]] = []
    with chromium() as browser:
        page = open_page(browser, f"{made.url}/")
        while not taken or taken[-1][0] < parts:
            time.sleep(2)
            n = httpx.get(f"{made.service_url}/frames/summary", timeout=30, trust_env=False).json()["n"]
            if n >= (taken[-1][0] if taken else 0) + EVERY:
                assert made.gui is not None
                taken.append((n, resident_mb(made.gui.pid)))
                print(*taken[-1], by(page, "word").text_content(), flush=True)
    return taken


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
