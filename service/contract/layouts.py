"""Layouts: where a role's ROIs lie in its master picture, and how a frame is aligned with it.

Coordinates are pixels of the master; (0, 0) is the centre of its first pixel. Angles are degrees, clockwise on screen.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from service.contract.shapes import Coordinate, Length, Shape
from service.contract.words import Answer, Label, MmPerPx, Name
from service.errors import InvalidLayout

MAX_MARKS, MAX_ROIS = 2, 64

Angle = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Revision = Annotated[int, Field(ge=0, le=10**9)]
Row = tuple[float, float, float]
Affine = tuple[Row, Row]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Box(_Value):
    """Whole pixels count: `x`, `y` is the first, `w`, `h` is their number."""

    x: Coordinate
    y: Coordinate
    w: Length
    h: Length


class Mark(Box):
    """A reference mark and the area it is searched in: the part may shift as far as `search` is larger."""

    search: Box


class Roi(_Value):
    """`shape` as it lies before it is turned by `angle_deg` about its own centre."""

    roi_id: Name
    shape: Annotated[Shape, Field(discriminator="kind")]
    angle_deg: Angle = 0.0


class Master(_Value):
    width: int
    height: int
    sha256: str


class Layout(_Value):
    """`mm_per_px` is null only while there are no ROIs. A locked layout is edited only after a question."""

    role_id: str
    revision: int
    mm_per_px: float | None
    locked: bool
    master: Master | None
    marks: list[Mark]
    rois: list[Roi]
    updated_utc: str
    updated_by: str


class LayoutAnswer(Answer, Layout):
    model_config = ConfigDict(frozen=False)


class LayoutRequest(_Value):
    """`revision`: the one that was read, 0 for a layout that is new."""

    revision: Revision
    mm_per_px: MmPerPx | None = None
    locked: bool = False
    marks: Annotated[list[Mark], Field(max_length=MAX_MARKS)] = []
    rois: Annotated[list[Roi], Field(max_length=MAX_ROIS)] = []

    @model_validator(mode="wrap")
    @classmethod
    def _named(cls, value: Any, handler: ModelWrapValidatorHandler[LayoutRequest]) -> LayoutRequest:
        """Whatever is wrong with a layout has one code. Raises InvalidLayout, which passes through pydantic."""
        try:
            return handler(value)
        except ValidationError as error:
            raise InvalidLayout("; ".join(_sentence(item) for item in error.errors()[:5])) from None


class LayoutSummary(BaseModel):
    """`damaged`: why the layout cannot be used; null for a whole one."""

    role_id: str
    revision: int
    n_rois: int
    mm_per_px: float | None
    updated_utc: str
    has_master: bool
    locked: bool
    damaged: str | None = None


class LayoutsAnswer(Answer):
    layouts: list[LayoutSummary]


class Alignment(_Value):
    """Where the part lies: `dx_px`, `dy_px` is how far the middle of the marks has moved, `matrix` takes pixels of the
    master to pixels of the frame, `scores` tell how well each mark was found, from 0 to 1."""

    dx_px: float
    dy_px: float
    angle_deg: float
    scores: list[float]
    matrix: Affine


class AlignAnswer(Answer):
    alignment: Alignment | None


class SamplesAnswer(Answer):
    """File names of the samples by ROI, in the order of the frames."""

    role_id: str
    label: Label
    saved: dict[str, list[str]]


def _sentence(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    return f"{where or 'layout'}: {item['msg']}"
