"""Types and bounds that the whole HTTP contract shares. Adding fields to the contract is fine, changing names, types
or meanings is not: plants run GUIs that speak it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_NAME = 128
# Between an electron microscope and a satellite: outside it somebody mixed up units.
MIN_MM_PER_PX, MAX_MM_PER_PX = 1e-5, 1e3
MAX_SCORES = 100_000


def check_name(value: str) -> str:
    """The name itself when it is 1-128 printable characters. Raises ValueError, which pydantic says of the field."""
    if not 1 <= len(value) <= MAX_NAME or not value.isprintable() or not value.strip():
        raise ValueError(f"must be 1 to {MAX_NAME} printable characters, not only spaces")
    return value


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(check_name)]
# Of the part that a picture shows; "" when nobody knows.
PartId = Annotated[str, Field(max_length=MAX_NAME)]
MmPerPx = Annotated[float, Field(ge=MIN_MM_PER_PX, le=MAX_MM_PER_PX, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Threshold = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Label = Literal["ok", "ng"]
Verdict = Literal["OK", "NG"]
Version = Annotated[int, Field(ge=1, le=10**9)]
Area = Annotated[
    float, Field(ge=0, le=1e9, allow_inf_nan=False, description="Smallest area in mm² that makes a part NG")
]
Percentile = Annotated[
    float,
    Field(ge=50, le=100, allow_inf_nan=False, description="Share of good parts, in %, the threshold has to let pass"),
]


class Value(BaseModel):
    """What a store writes and an answer tells, in the same words."""

    model_config = ConfigDict(frozen=True)


class RoiNames(BaseModel):
    """A request about an ROI of a role."""

    role_id: Name
    roi_id: Name


class OfRoi(BaseModel):
    """A value or an answer about an ROI of a role."""

    role_id: str
    roi_id: str


class Answer(BaseModel):
    request_id: str = ""

    @classmethod
    def of(cls, value: BaseModel, **more: object) -> Self:
        """The answer that tells a stored value, and what else belongs to it."""
        return cls(**{**dict(value), **more})
