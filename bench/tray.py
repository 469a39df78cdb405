"""What the supervisor costs while nothing happens, and how soon a killed service is back.

python -m bench.tray [--seconds S] [--kills N]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from bench.tables import print_table

DEADLINE_S = 180.0


def main(
    seconds: Annotated[float, typer.Option(help="Length of the idle measurement")] = 60.0,
    kills: Annotated[int, typer.Option(help="How often the service is killed")] = 5,
    port: Annotated[int, typer.Option(help="Port for the service")] = 8124,
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    icon: Annotated[bool, typer.Option(help="With the icon, which needs a display")] = False,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "TMPDIR": folder,
            "BACKEND_DATA_ROOT": str(Path(folder, "data")),
            "BACKEND_PORT": str(port),
            "BACKEND_BACKBONE": backbone,
            "TRAY_MAX_CRASHES": "0",
            "TRAY_SCREENS": "false",
        }
        command = [sys.executable, "-m", "tray", *([] if icon else ["--headless"])]
        with subprocess.Popen(command, env=environment) as tray:
            try:
                begun = time.monotonic()
                _wait_until_ready(environment)
                print_table("start", ["s to ready"], [[time.monotonic() - begun]])
                _idle(psutil.Process(tray.pid), seconds)
                _kills(environment, kills)
            finally:
                tray.terminate()


def _idle(tray: psutil.Process, seconds: float) -> None:
    time.sleep(5)
    before = tray.cpu_times()
    time.sleep(seconds)
    after = tray.cpu_times()
    used = after.user + after.system - before.user - before.system
    print_table(
        f"idle for {seconds:.0f} s",
        ["RSS MB", "CPU % of one core", "threads"],
        [[tray.memory_info().rss / 1e6, 100 * used / seconds, tray.num_threads()]],
    )


def _kills(environment: dict[str, str], kills: int) -> None:
    back_s = []
    for _ in range(kills):
        old = _wait_until_ready(environment)
        psutil.Process(old).kill()
        begun = time.monotonic()
        _wait_until_ready(environment, old)
        back_s.append(time.monotonic() - begun)
    if back_s:
        print_table(
            f"service killed {kills} times", ["s back, median", "longest"], [[sorted(back_s)[kills // 2], max(back_s)]]
        )


def _wait_until_ready(environment: dict[str, str], old: int | None = None) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        status = _status(environment)
        if status.get("state") in ("ready", "degraded") and status["pid"] != old:
            return int(status["pid"])
        time.sleep(0.3)
    raise SystemExit("the service did not get ready")


def _status(environment: dict[str, str]) -> dict[str, Any]:
    asked = subprocess.run(
        [sys.executable, "-m", "tray", "--status"], env=environment, capture_output=True, check=False
    )
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


if __name__ == "__main__":
    typer.run(main)
