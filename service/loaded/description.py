"""A model as the service uses it and as the store keeps it; the only place that knows both forms."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from service.contract.models import DEFAULT_PERCENTILE, Calibration
from service.contract.shapes import Shape, shape_from
from service.engine.patchcore import Fitted
from service.engine.protocol import MemoryBank, Recipe
from service.store.models import StoredModel
from service.vision.level import Level
from service.vision.network_view import NetworkView, network_view
from service.vision.verdict import DEFAULT_AREA_MM2


@dataclass(frozen=True)
class TaughtPicture:
    """Size of a good picture and the shape inspected in it: what is needed to score its held-out distances again.

    `name`: file name of the stored sample it was, "" for a picture that was sent. `part_id`: of the part that it shows,
    "" when nobody said.
    """

    width: int
    height: int
    shape: Shape | None
    name: str = ""
    part_id: str = ""

    def view(self, recipe: Recipe) -> NetworkView:
        return network_view(self.shape, self.height, self.width, recipe.input_size, recipe.stride)


@dataclass(frozen=True)
class Description:
    """Content of `model.json`, without the checksum of the bank.

    `calm_level`: median held-out distance of good patches, 0 in a heat map. `uncalibrated_scale`: what a heat map shows
    as 128 while there is no threshold, the 99th percentile of the held-out scores. `parts`: number of the part that
    each picture shows; empty for a version that held pictures out without a look at their parts. `level`: what
    distances go through before they are judged.
    """

    recipe: Recipe
    mm_per_px: float
    coreset_rate_requested: float
    coreset_rate_applied: float
    n_embeddings: int
    created_utc: str
    ok_scores: tuple[float, ...]
    calm_level: float
    uncalibrated_scale: float
    pictures: tuple[TaughtPicture, ...]
    parts: tuple[int, ...] = ()
    level: Level | None = None

    def to_json(self) -> dict[str, Any]:
        value = asdict(self)
        value["pictures"] = [
            {**asdict(frame), "shape": frame.shape.model_dump() if frame.shape else None} for frame in self.pictures
        ]
        plain: dict[str, Any] = json.loads(json.dumps(value))
        return plain  # tuples become lists: the seal is over what is read back

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Description:
        """Raises KeyError, TypeError or ValueError when the store holds something else."""
        recipe = {**value["recipe"], "layers": tuple(value["recipe"]["layers"])}
        pictures = tuple(
            TaughtPicture(
                p["width"],
                p["height"],
                shape_from(p["shape"]),
                p.get("name", ""),  # older models know neither
                p.get("part_id", ""),
            )
            for p in value["pictures"]
        )
        plain = ("mm_per_px", "coreset_rate_requested", "coreset_rate_applied", "n_embeddings", "created_utc")
        return cls(
            recipe=Recipe(**recipe),
            ok_scores=tuple(value["ok_scores"]),
            calm_level=value["calm_level"],
            uncalibrated_scale=value["uncalibrated_scale"],
            pictures=pictures,
            parts=tuple(value.get("parts", ())),
            level=Level(**value["level"]) if value.get("level") else None,
            **{name: value[name] for name in plain},
        )


@dataclass(frozen=True)
class ModelVersion:
    """One version and its calibration, None until there is one; without its memory bank."""

    version: int
    description: Description
    calibration: Calibration | None

    @property
    def threshold(self) -> float | None:
        return self.calibration.threshold if self.calibration else None

    @property
    def provisional(self) -> bool:
        """Whether its verdicts are: the threshold has too few parts behind it, and nobody answers for it."""
        return self.calibration is not None and self.calibration.verdicts_are_provisional

    @property
    def old_calibration(self) -> bool:
        """As of the store's summary of the version."""
        return self.calibration is not None and bool(self.description.ok_scores) and not self.description.parts

    @property
    def area_mm2(self) -> float:
        """Smallest area in mm² that scores of this version are measured with."""
        return self.calibration.area_mm2_thr if self.calibration else DEFAULT_AREA_MM2

    @property
    def score_percentile(self) -> float:
        return self.calibration.score_percentile if self.calibration else DEFAULT_PERCENTILE


def arrays(fitted: Fitted) -> dict[str, np.ndarray]:
    """What the store writes for a fit; `bank` and `held_out` read it back."""
    bank = fitted.bank
    return {
        "vectors": bank.vectors,
        "owners": bank.owners,
        "projection": bank.projection,
        "offset": bank.offset,
        **{f"held_out.{index:06d}": distances for index, distances in enumerate(fitted.held_out)},
    }


def bank(stored: StoredModel) -> MemoryBank:
    read = stored.arrays
    return MemoryBank(read["vectors"], read["owners"], read["projection"], read["offset"])


def held_out(stored: StoredModel) -> list[np.ndarray]:
    """Float32 (gh, gw) of each good picture."""
    return [stored.arrays[name] for name in sorted(stored.arrays) if name.startswith("held_out.")]
