"""Writes a folder of drawn discs in the usual anomaly-detection layout, to try `brakedisc evaluate` with."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.demo.discs import DEFECTS, DiscPicture, draw_disc

AREAS_MM2 = (1.0, 30.0)  # defect areas are drawn from this range, small ones as often as large ones (log-uniform)


def write_dataset(folder: Path, *, n_train: int, n_good: int, n_per_defect: int, seed: int = 0) -> None:
    """Fill `folder` with `train/good`, `test/good`, `test/<defect>` and `ground_truth/<defect>/<stem>_mask.png`.

    No disc appears twice; the same `seed` writes the same pictures. Masks are 8-bit grey, 255 on the defect.
    Raises FileExistsError where `folder` already holds something: a mixture of two data sets would be useless.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    discs = iter(range(seed * 1_000_000, (seed + 1) * 1_000_000))
    for split, count in (("train", n_train), ("test", n_good)):
        for number in range(count):
            _write_png(folder / split / "good" / f"{number:03d}.png", draw_disc(next(discs)).image_rgb)
    areas = np.random.default_rng([seed, 2])
    for defect in DEFECTS:
        for number in range(n_per_defect):
            area_mm2 = float(np.exp(areas.uniform(*np.log(AREAS_MM2))))
            _write_defective(folder, f"{number:03d}", draw_disc(next(discs), defect=defect, area_mm2=area_mm2))


def _write_defective(folder: Path, stem: str, part: DiscPicture) -> None:
    defect = str(part.defect)
    _write_png(folder / "test" / defect / f"{stem}.png", part.image_rgb)
    _write_png(folder / "ground_truth" / defect / f"{stem}_mask.png", part.mask.astype(np.uint8) * 255)


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """`image` is (h, w, 3) RGB or (h, w) grey. Encoded in memory: cv2.imwrite fails on non-ASCII paths on Windows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)
    path.write_bytes(png.tobytes())
