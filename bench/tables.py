"""How benches time and print: interleaved runs, medians, a ratio beside a reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

console = Console()


def interleaved_ms(runs: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 2) -> dict[str, np.ndarray]:
    """Milliseconds of each of `rounds` runs; the candidates take turns, so that a slow moment hits them all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + warm_up):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number >= warm_up:
                times[name].append((time.perf_counter() - started) * 1e3)
    return {name: np.array(values) for name, values in times.items()}


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    console.print(table)
