"""Shapes in an ROI picture: where a part is inspected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

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
    return _valid(lambda: _SHAPE.validate_json(text))


def shape_from(value: Mapping[str, object] | None) -> Shape | None:
    """A shape from its stored form; None: the whole picture. Raises InvalidShape."""
    return _valid(lambda: _SHAPE.validate_python(value)) if value else None


def _valid(read: Callable[[], Shape]) -> Shape:
    try:
        shape = read()
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
