"""Form and query fields that several routes share."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Form, Query, Response, UploadFile
from PIL import Image
from pydantic import JsonValue, TypeAdapter, ValidationError

from service.contract.shapes import Shape, parse_shape
from service.contract.words import MAX_NAME, MmPerPx, Name
from service.errors import InvalidField

RoleForm = Annotated[Name, Form(description="Role: which part or view of it")]
RoiForm = Annotated[Name, Form(description="Region of interest within the role")]
RoleQuery = Annotated[Name, Query()]
RoiQuery = Annotated[Name, Query()]
FileName = Annotated[str, Query(max_length=128)]
Side = Annotated[int, Query(ge=16, le=1024, description="Longest side in pixels")]
# A stored picture never changes under its name; private: a proxy must not hand it to somebody without a key.
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
ScaleForm = Annotated[MmPerPx, Form(description="Millimetres per pixel of the picture")]


async def _shape(  # async: a plain function would cost a thread hop
    shape: Annotated[str | None, Form(description='{"kind":"annulus","cx":256,"cy":256,"r":200,"r_inner":120}')] = None,
) -> Shape | None:
    return parse_shape(shape)


_META: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, JsonValue])
_SCALE: TypeAdapter[float] = TypeAdapter(MmPerPx)
ShapeForm = Annotated[Shape | None, Depends(_shape)]


def read(upload: UploadFile) -> tuple[str, bytes]:
    """Name and bytes; the name only ever appears in messages and records."""
    name = "".join(c for c in (upload.filename or "image") if c.isprintable())[-MAX_NAME:]
    return name or "image", upload.file.read()


def picture(data: bytes) -> Response:
    """A picture as it was received."""
    with Image.open(io.BytesIO(data)) as opened:
        media_type = opened.get_format_mimetype()
    return Response(data, media_type=media_type or "application/octet-stream")


def utc(moment: datetime | None) -> str | None:
    """As records have it. Raises InvalidField."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC).isoformat()
    except OverflowError:
        raise InvalidField(f"since, before: {moment} lies outside of the calendar.") from None


def small_picture(jpeg: bytes) -> Response:
    return Response(jpeg, media_type="image/jpeg", headers=_KEPT)


def parse_metas(metas: list[str], count: int) -> list[dict[str, Any]]:
    """One JSON object per image; none at all means none for any. `shape` may be an object or its JSON text.

    Raises InvalidField.
    """
    if not metas:
        return [{} for _ in range(count)]
    if len(metas) != count:
        raise InvalidField(f"metas: {len(metas)} given for {count} images; send one JSON string per image.")
    return [_meta(text, index) for index, text in enumerate(metas)]


def _meta(text: str, index: int) -> dict[str, Any]:
    try:
        meta = _META.validate_json(text or "{}")
        json.dumps(meta, allow_nan=False)
        if meta.get("mm_per_px") is not None:
            meta["mm_per_px"] = _SCALE.validate_python(meta["mm_per_px"])
    except ValidationError as error:
        raise InvalidField(f"metas[{index}]: {error.errors()[0]['msg']}; send a JSON object.") from None
    except ValueError as error:  # NaN, Infinity, or characters that are none
        raise InvalidField(f"metas[{index}]: {error}; send a JSON object.") from None
    if not isinstance(meta.get("shape"), str | None):
        meta["shape"] = json.dumps(meta["shape"])
    return meta
