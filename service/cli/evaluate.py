"""`evaluate`: teach and calibrate on good pictures, then measure on pictures the model never saw."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from service.__main__ import build_engine
from service.calibration.accuracy import PixelCounts, figures
from service.calibration.threshold import calibrate
from service.cli.shapes import shape_json
from service.cli.teach_inspect import pictures_by_part, pictures_in, progress_bar
from service.contract.models import DEFAULT_PERCENTILE, Calibration
from service.contract.shapes import parse_shape
from service.engine.patchcore import Fitted, Fitting, Good, fit
from service.engine.protocol import Engine, Recipe
from service.errors import InvalidField
from service.inspection.examine import examine
from service.loaded.description import TaughtPicture
from service.loaded.device import Comparison, compare
from service.loaded.models import LoadedModel
from service.settings import Settings
from service.stopwatch import Stopwatch
from service.teaching.fit import describe, held_out_scores, teaching_for, typical_side
from service.vision.anomaly_map import on_roi
from service.vision.images import decode
from service.vision.masks import pixel_mask

WARM_UP = 3  # pictures whose times are not counted


@dataclass(frozen=True)
class Scale:
    """What turns pixels into mm², and the smallest area that counts."""

    mm_per_px: float
    area_mm2: float


@dataclass(frozen=True)
class Picture:
    """A test picture; `defect` is None for a good one, `mask` None when there is no ground truth."""

    path: Path
    defect: str | None
    mask: Path | None


@dataclass
class Tally:
    """What the pictures of one kind gave."""

    scores: list[float]
    pixels: PixelCounts


def evaluate_folder(
    settings: Settings, console: Console, folder: Path, shape: str | None, mm_per_px: float, area_mm2: float,
    json_file: Path | None,
) -> int:  # fmt: skip
    engine, scale = build_engine(settings), Scale(mm_per_px, area_mm2)
    (train, part_ids), tests = pictures_by_part(folder / "train" / "good"), list(test_pictures(folder))
    reader = Reader(settings, shape)
    pictures = [
        replace(reader.about(reader.read(path)), part_id=part) for path, part in zip(train, part_ids, strict=True)
    ]
    recipe = engine.recipe(settings.backbone, settings.input_size, typical_side(pictures))
    with progress_bar(console) as bar:
        fitted, fit_watch = _teach(engine, recipe, settings, reader, train, part_ids, bar)
        scores = held_out_scores(fitted.held_out, recipe, pictures, scale.mm_per_px, scale.area_mm2)
        calibration = _calibration(scores, fitted, scale)
        about = describe(fitted, recipe, pictures, scale.mm_per_px, rate_requested=0.0)
        model = LoadedModel(1, about, calibration, engine.place(fitted.bank), len(fitted.bank.vectors), None)
        threshold = calibration.threshold
        tallies, ms = _test(_Direct(engine), model, threshold, reader, tests, bar)
        result = _result(tallies, threshold) | {
            "ms": ms,
            "fit_s": {stage: round(seconds, 3) for stage, seconds in fit_watch.seconds.items()},
            "peak_rss_mb": round(_peak_rss_mb(), 1),
            "backbone": recipe.backbone,
            "weights_sha256": recipe.weights_sha256,
            "device": engine.device_name,
            "input_size": recipe.input_size,
            "coreset_size": len(fitted.bank.vectors),
            "threshold": threshold,
            "n_train": len(train),
            "n_parts": calibration.n_ok_parts,
            "provisional": calibration.provisional,
            "held_out_scores": scores,
            "scores": {kind or "good": tally.scores for kind, tally in tallies.items()},
        }
    _print(console, folder, result)
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0


class Reader:
    """Pictures as the engine wants them."""

    def __init__(self, settings: Settings, shape: str | None) -> None:
        self._settings, self._shape = settings, shape

    def read(self, path: Path) -> np.ndarray:
        return decode(path.read_bytes(), max_mpx=self._settings.max_image_mpx, name=path.name)

    def about(self, image: np.ndarray) -> TaughtPicture:
        height, width = image.shape[:2]
        return TaughtPicture(width, height, parse_shape(shape_json(self._shape, height, width)))


def test_pictures(folder: Path) -> Iterator[Picture]:
    if not (folder / "test" / "good").is_dir():
        raise InvalidField(f"{folder}: no test/good; the layout is train/good, test/good, test/<defect>.")
    for kind in sorted(path for path in (folder / "test").iterdir() if path.is_dir()):
        for path in pictures_in(kind):
            mask = folder / "ground_truth" / kind.name / f"{path.stem}_mask.png"
            defect = None if kind.name == "good" else kind.name
            yield Picture(path, defect, mask if mask.exists() else None)


def _teach(
    engine: Engine,
    recipe: Recipe,
    settings: Settings,
    reader: Reader,
    train: list[Path],
    part_ids: list[str],
    bar: Progress,
) -> tuple[Fitted, Stopwatch]:
    watch, task = Stopwatch(), bar.add_task("teach", total=1.0)

    def load(index: int) -> Good:
        image = reader.read(train[index])
        view = reader.about(image).view(recipe)
        return Good(view.picture(image), view)

    def report(progress: float, stage: str) -> None:
        bar.update(task, completed=progress, description=f"teach: {stage}")

    fitting = Fitting(engine, recipe, len(train), load, lambda work: work(), report, watch, part_ids)
    fitted = fit(fitting, teaching_for(settings, recipe, memory_fit=False))
    bar.update(task, completed=1.0, description="teach")
    return fitted, watch


class _Direct:
    """An engine asked without a queue."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def distances(self, asked: Sequence[Comparison], watch: Stopwatch, *, in_turn: bool = False) -> list[np.ndarray]:
        del in_turn  # nobody else asks it
        compared = compare(self._engine, asked)
        watch.seconds |= {stage: ms / 1e3 for stage, ms in compared[0].ms.items()}
        return [one.distances for one in compared]


def _calibration(scores: list[float], fitted: Fitted, scale: Scale) -> Calibration:
    return Calibration(
        **calibrate(scores, [], DEFAULT_PERCENTILE, ok_parts=fitted.parts.tolist()).model_dump(),
        mm_per_px=scale.mm_per_px, area_mm2_thr=scale.area_mm2, model_version=1,
        ok_scores=tuple(scores), ng_scores=(), created_utc="",
    )  # fmt: skip


def _test(
    device: _Direct, model: LoadedModel, threshold: float, reader: Reader, tests: list[Picture], bar: Progress
) -> tuple[dict[str | None, Tally], dict[str, float]]:
    tallies: dict[str | None, Tally] = {}
    times: list[dict[str, float]] = []
    has_masks = any(picture.mask for picture in tests)
    for picture in bar.track(tests, description="test"):
        watch = Stopwatch()
        with watch("total"):
            with watch("decode"):
                image = reader.read(picture.path)
            shape = reader.about(image).shape
            examined = examine(device, model, image, shape, watch)
        times.append(watch.ms)
        tally = tallies.setdefault(picture.defect, Tally([], PixelCounts()))
        tally.scores.append(examined.score)
        if has_masks and (picture.mask or picture.defect is None):
            truth, drawn = truth_of(picture, image.shape[:2]), on_roi(examined.measured.map, examined.view.place)
            tally.pixels.add(drawn, truth, pixel_mask(shape, *truth.shape), threshold)
    counted = times[WARM_UP:] or times
    return tallies, {stage: round(float(np.median([t[stage] for t in counted])), 2) for stage in counted[0]}


def truth_of(picture: Picture, size: tuple[int, int]) -> np.ndarray:
    if picture.mask is None:
        return np.zeros(size, bool)
    mask = cv2.imdecode(np.frombuffer(picture.mask.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None or mask.shape != size:
        raise InvalidField(f"{picture.mask}: the mask must be a picture of the size of {picture.path.name}.")
    truth: np.ndarray = mask > 127
    return truth


def _result(tallies: dict[str | None, Tally], threshold: float) -> dict[str, Any]:
    good = tallies[None]
    bad = {name: tally for name, tally in tallies.items() if name is not None}
    together = Tally(
        [score for tally in bad.values() for score in tally.scores],
        sum((tally.pixels for tally in bad.values()), good.pixels),
    )
    return {
        "all": figures(good.scores, together.scores, threshold, together.pixels),
        "defects": {
            name: figures(good.scores, tally.scores, threshold, good.pixels + tally.pixels)
            for name, tally in bad.items()
        },
    }


def _print(console: Console, folder: Path, result: dict[str, Any]) -> None:
    title = f"{folder.name}: {result['backbone']} {result['input_size']} px, {result['coreset_size']} vectors"
    table = Table(
        "", "good/bad", "image AUROC", "pixel AUROC", "AU-PRO", "false rejects\n95 %", "misses\n95 %", title=title
    )
    for name, row in {**result["defects"], "all": result["all"]}.items():
        table.add_row(
            name, f"{row['n_good']}/{row['n_bad']}",
            *(_decimals(row[key]) for key in ("image_auroc", "pixel_auroc", "au_pro")),
            _rate(row["false_reject_rate"], row["false_reject_ci95"]), _rate(row["miss_rate"], row["miss_ci95"]),
        )  # fmt: skip
    console.print(table)
    stages = Table("stage", "ms per picture (median)", title=f"Inspection on {result['device']}")
    for stage, ms in result["ms"].items():
        stages.add_row(stage, f"{ms:.2f}")
    console.print(stages)
    fit_s = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result["fit_s"].items())
    console.print(f"Fit of {result['n_train']} pictures: {fit_s}. Peak memory {result['peak_rss_mb']:.0f} MB.")


def _decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _rate(value: float | None, ci95: tuple[float, float] | None) -> str:
    return "-" if value is None or ci95 is None else f"{value:.1%}\n{ci95[0]:.1%}-{ci95[1]:.1%}"


def _peak_rss_mb() -> float:
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
