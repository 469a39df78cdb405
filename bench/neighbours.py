"""Nearest neighbours: ours beside torch.cdist and one large product, in time and in digits.

python -m bench.neighbours [--queries Q] [--bank M] [--dims D] [--device cpu]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import typer

from bench.coreset import like_patches
from bench.tables import interleaved_ms, print_table
from service.engine.nearest import nearest, place


def main(
    queries: Annotated[int, typer.Option(help="Patches compared: 1,024 are one picture of 256 px")] = 1_024,
    bank: Annotated[int, typer.Option(help="Vectors in the memory bank")] = 10_000,
    dims: Annotated[int, typer.Option(help="Values per vector")] = 1_024,
    device: Annotated[str, typer.Option(help="cpu, cuda:0")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of torch; 0 = its own choice")] = 0,
    rounds: Annotated[int, typer.Option(help="Timed rounds")] = 10,
) -> None:
    if threads:
        torch.set_num_threads(threads)
    vectors = like_patches(queries + bank, dims)
    asked = torch.from_numpy(vectors[bank:]).to(device)
    placed = place(vectors[:bank], device)
    compared: dict[str, Callable[[], torch.Tensor]] = {
        "torch.cdist, then min": lambda: torch.cdist(asked, placed.vectors).min(1).values,
        "one product, then min": lambda: one_product(asked, placed.vectors),
        "ours": lambda: nearest(asked, placed)[0][:, 0],
    }
    exact = torch.cdist(asked.double(), placed.vectors.double()).amin(1)
    times = interleaved_ms({name: lambda run=run: run().cpu() for name, run in compared.items()}, rounds=rounds)  # type: ignore[misc]
    plain = float(np.median(times["torch.cdist, then min"]))
    print_table(
        f"{queries:,} queries, {bank:,} x {dims:,} vectors, {device}, {torch.get_num_threads()} threads",
        ("", "median ms", "best ms", "ratio", "relative error"),
        [
            (
                name,
                float(np.median(times[name])),
                float(times[name].min()),
                f"{plain / float(np.median(times[name])):.2f}x",
                f"{float(((run() - exact).abs() / exact).max()):.0e}",
            )
            for name, run in compared.items()
        ],
    )


def one_product(queries: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """|a - b| by |a|² + |b|² - 2ab, all pairs at once: what most implementations do."""
    squared = torch.addmm(vectors.square().sum(1), queries, vectors.T, alpha=-2) + queries.square().sum(1)[:, None]
    return squared.clamp_(min=0).min(1).values.sqrt_()


if __name__ == "__main__":
    typer.run(main)
