"""Pictures of recorded inspections, to judge again, to learn from, or to show small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.backend import Kept
from service.contract.shapes import Shape, shape_from
from service.errors import NotFound
from service.store.records.inspections import Record
from service.vision.images import decode, encode_png, thumbnail
from service.vision.roi_picture import canonical_shape, cut_out


@dataclass(frozen=True)
class Recalled:
    """`image` as it was received, of an ROI of a frame as PNG; `shape` in its pixels, None: all of it."""

    record: Record
    image: bytes
    shape: Shape | None


def recall(kept: Kept, record: Record) -> Recalled:
    """Raises NotFound when the picture was not kept, or the record is of a version that did not write the shape."""
    if "shape" not in record.params:
        raise NotFound(f"The record of inspection {record.inspection_id} does not say which shape was inspected.")
    return Recalled(record, picture_of(kept, record), _shape(record))


def picture_of(kept: Kept, record: Record) -> bytes:
    """What an inspection looked at. An ROI of a frame is cut from it again, pixel by pixel as it was.

    Raises NotFound when it was not kept.
    """
    if record.frame_id is None:
        return kept.archive.image(record.inspection_id)
    frame_rgb = decode(kept.archive.image(record.frame_id), max_mpx=float("inf"), name=record.frame_id)
    shape = _shape(record)
    assert shape is not None  # an ROI of a layout has one
    return encode_png(cut_out(frame_rgb, np.array(record.params["to_frame"]), canonical_shape(shape)[1]))


def _shape(record: Record) -> Shape | None:
    return shape_from(record.params["shape"])


def frame_picture(kept: Kept, frame_id: str) -> bytes:
    """As it was received. Raises NotFound (no such frame, or its picture was not kept)."""
    return kept.archive.image(kept.frames.get(frame_id).frame_id)


def small(kept: Kept, data: bytes, side: int, name: str) -> bytes:
    """JPEG. Raises UndecodableImage."""
    return thumbnail(kept.decode(data, name), side)
