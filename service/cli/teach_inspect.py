"""`teach` and `inspect`: what a line does, from a terminal, through the service."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.cli.client import Client, connected
from service.cli.shapes import shape_json
from service.contract.shapes import parse_shape
from service.errors import InvalidField
from service.process.client import Refused
from service.progress import Report
from service.settings import Settings
from service.vision.images import decode, encode_png
from service.vision.overlay import draw_overlay

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
CSV_COLUMNS = ("file", "verdict", "score", "threshold", "regions", "largest_mm2", "ms", "inspection_id", "error")


def teach_folder(
    settings: Settings, console: Console, folder: Path, role: str, roi: str, mm_per_px: float, shape: str | None,
    *, stage: bool,
) -> int:  # fmt: skip
    images, part_ids = pictures_by_part(folder)
    fields = {"role_id": role, "roi_id": roi, "mm_per_px": mm_per_px, "stage": str(stage).lower(), "part_ids": part_ids}
    fields |= _shape_field(shape, images[0], settings)
    with connected(settings, console.print) as client:
        with progress(console, "teach") as report:
            fitted = client.fit(fields, images, report)
        asked = {"role_id": role, "roi_id": roi, "mm_per_px": mm_per_px, "model_version": fitted["model_version"]}
        calibrated = client.calibrate(asked)
    console.print(
        f"Version {fitted['model_version']} of {role}/{roi}: {fitted['n_images']} pictures, {fitted['n_parts']} parts, "
        f"{fitted['coreset_size']} of {fitted['n_embeddings']} patches kept, {fitted['duration_s']:.1f} s. "
        f"Threshold {calibrated['threshold']:.3f}."
    )
    for warning in calibrated["warnings"]:
        console.print(f"[yellow]{warning}[/]")
    return 0


def inspect_path(
    settings: Settings, console: Console, path: Path, role: str, roi: str, mm_per_px: float | None, shape: str | None,
    out: Path | None,
) -> int:  # fmt: skip
    images = pictures_in(path) if path.is_dir() else [path]
    rows = []
    with connected(settings, console.print) as client:
        scale = mm_per_px or client.manifest(role, roi)["mm_per_px"]
        if scale is None:
            raise InvalidField(f"memory not fitted for {role}/{roi}: run `brakedisc teach` first.")
        for image in images:
            fields = {"role_id": role, "roi_id": roi, "mm_per_px": scale}
            rows.append(_inspect_one(client, settings, image, fields | _shape_field(shape, image, settings), out))
    console.print(verdict_table(rows))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        with open(out / "results.csv", "w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, CSV_COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        console.print(f"Overlays and results.csv: {out}")
    return 2 if any(row["error"] for row in rows) else 1 if any(row["verdict"] == "NG" for row in rows) else 0


def pictures_by_part(folder: Path) -> tuple[list[Path], list[str]]:
    """Pictures, and the part that each shows: those in a folder of their own are of one part, which has its name.

    Of pictures beside these folders nobody knows. Raises InvalidField when there are none.
    """
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and any(_pictures(path)))
    found = [(path, "") for path in _pictures(folder)]
    found += [(path, of.name) for of in folders for path in _pictures(of)]
    _refuse_none(found, folder)
    return [path for path, _ in found], [part_id for _, part_id in found]


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def pictures_in(folder: Path) -> list[Path]:
    """Sorted by name. Raises InvalidField when there are none."""
    found = _pictures(folder)
    _refuse_none(found, folder)
    return found


def _refuse_none(found: Sequence[object], folder: Path) -> None:
    if not found:
        raise InvalidField(f"{folder}: no pictures ({', '.join(PICTURES)}) in this folder.")


@contextmanager
def progress(console: Console, what: str) -> Iterator[Report]:
    """A bar for one piece of work, and what moves it."""
    with progress_bar(console) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share, stage: bar.update(task, completed=share, description=f"{what}: {stage}")
        bar.update(task, completed=1.0)


def progress_bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=console)


def row_of(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """One line of the table and the CSV."""
    return {
        "file": name,
        "verdict": answer["verdict"] or "-",
        "score": round(answer["score"], 4),
        "threshold": answer["threshold"] and round(answer["threshold"], 4),
        "regions": len(answer["regions"]),
        "largest_mm2": round(answer["regions"][0]["area_mm2"], 2) if answer["regions"] else None,
        "ms": round(answer["timings_ms"]["total"], 1),
        "inspection_id": answer["inspection_id"],
        "error": "",
    }


def verdict_table(rows: list[dict[str, Any]], extra: tuple[str, ...] = ()) -> Table:
    """`extra` columns follow the file's name; a column of errors is added when there are any. Fits 80 columns."""
    errors = ("error",) if any(row["error"] for row in rows) else ()
    columns = ("file", *extra, "verdict", "score", "threshold", "largest_mm2", "ms", *errors)
    table = Table(title="Verdicts")
    for name in columns:
        table.add_column(name.replace("_mm2", "\nmm²"), no_wrap=name not in ("file", "error"), overflow="fold")
    for row in rows:
        style = {"OK": "green", "NG": "red"}.get(row["verdict"], "yellow")
        table.add_row(*(_cell(row.get(name)) for name in columns), style=style)
    return table


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def write_overlay(path: Path, image_rgb: np.ndarray, answer: dict[str, Any], shape: str | None, title: str) -> None:
    """Picture with heat map, regions and verdict, as PNG."""
    heatmap = None
    if answer["heatmap_png_base64"]:
        data = np.frombuffer(base64.b64decode(answer["heatmap_png_base64"]), np.uint8)
        heatmap = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    parsed = parse_shape(shape)
    overlay = draw_overlay(
        image_rgb, heatmap, answer["regions"], verdict=answer["verdict"], score=answer["score"],
        threshold=answer["threshold"], title=title, shape=parsed.model_dump() if parsed else None,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(overlay))


def _inspect_one(
    client: Client, settings: Settings, path: Path, fields: dict[str, Any], out: Path | None
) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        answer = client.infer(fields, path.name, data)
    except Refused as error:  # a bad picture must not hide the verdicts of the others
        return dict.fromkeys(CSV_COLUMNS) | {"file": path.name, "verdict": "-", "error": error.detail}
    if out is not None:
        image = decode(data, max_mpx=settings.max_image_mpx, name=path.name)
        write_overlay(out / f"{path.stem}.overlay.png", image, answer, fields.get("shape"), path.name)
    return row_of(path.name, answer)


def _shape_field(shape: str | None, image: Path, settings: Settings) -> dict[str, str]:
    if shape is None:
        return {}
    height, width = decode(image.read_bytes(), max_mpx=settings.max_image_mpx, name=image.name).shape[:2]
    text = shape_json(shape, height, width)
    return {"shape": text} if text else {}
