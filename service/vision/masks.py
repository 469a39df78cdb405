"""Shapes in a ROI picture: where a part is inspected, as a mask of pixels or of patches. Pure numpy + OpenCV."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.errors import InvalidShape

# Pixels; far above any camera. Keeps the arithmetic of a nonsense shape finite.
_LIMIT = 1_000_000.0
Coordinate = Annotated[float, Field(ge=-_LIMIT, le=_LIMIT, allow_inf_nan=False)]
Length = Annotated[float, Field(gt=0, le=_LIMIT, allow_inf_nan=False)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rect(_Shape):
    kind: Literal["rect"]
    x: Coordinate
    y: Coordinate
    w: Length
    h: Length


class Circle(_Shape):
    kind: Literal["circle"]
    cx: Coordinate
    cy: Coordinate
    r: Length


class Annulus(_Shape):
    kind: Literal["annulus"]
    cx: Coordinate
    cy: Coordinate
    r: Length
    r_inner: Annotated[float, Field(ge=0, le=_LIMIT, allow_inf_nan=False)]


Shape = Rect | Circle | Annulus
_SHAPE: TypeAdapter[Shape] = TypeAdapter(Annotated[Shape, Field(discriminator="kind")])


def parse_shape(text: str | None) -> Shape | None:
    """A shape from JSON; None or empty text: the whole picture. Raises InvalidShape."""
    if text is None or not text.strip() or text.strip() == "null":
        return None
    try:
        shape = _SHAPE.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "shape"
        raise InvalidShape(
            f"shape: {where}: {first['msg']}. Send JSON such as "
            '{"kind":"annulus","cx":256,"cy":256,"r":200,"r_inner":120} in pixels of the picture.'
        ) from None
    if isinstance(shape, Annulus) and shape.r_inner >= shape.r:
        raise InvalidShape(f"shape: r_inner {shape.r_inner:g} must be smaller than r {shape.r:g}.")
    return shape


def pixel_mask(shape: Shape | None, height: int, width: int) -> np.ndarray:
    """Bool (height, width): true where a pixel's centre lies in the shape. Raises InvalidShape when none does."""
    if shape is None:
        return np.ones((height, width), bool)
    y, x = np.ogrid[0:height, 0:width]
    if isinstance(shape, Rect):
        mask = (x >= shape.x) & (x < shape.x + shape.w) & (y >= shape.y) & (y < shape.y + shape.h)
    else:
        squared = (x - shape.cx) ** 2 + (y - shape.cy) ** 2
        mask = squared <= shape.r**2
        if isinstance(shape, Annulus):
            mask &= squared >= shape.r_inner**2
    if not mask.any():
        raise InvalidShape(
            f"shape: no pixel of the {width}x{height} picture lies inside the {shape.kind}; "
            "give its coordinates in pixels of the picture that is sent."
        )
    return mask


def bounding_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x, y, w, h of the true pixels of a bool (h, w) mask that has some."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def patch_mask(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Bool (grid h, grid w): patches at least half of whose cell lies in the bool (h, w) pixel mask.

    A mask too thin for that keeps the patches it covers most, so that a valid shape always has patches.
    """
    cover = cv2.resize(mask.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA)
    return cover >= min(0.5, float(cover.max()))
