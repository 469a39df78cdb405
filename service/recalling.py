"""What an inspection looked at: its picture and the shape in it, to look again or to learn from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from service.backend import Backend
from service.errors import NotFound
from service.geometry import Shape, parse_shape
from service.store.records import Record


@dataclass(frozen=True)
class Recalled:
    """`image` as it was received; `shape` in its pixels, None: all of it."""

    record: Record
    image: bytes
    shape: Shape | None


def recall(backend: Backend, record: Record) -> Recalled:
    """Raises NotFound when the picture was not kept, or the record is of a version that did not write the shape."""
    if "shape" not in record.params:
        raise NotFound(f"The record of inspection {record.inspection_id} does not say which shape was inspected.")
    shape = parse_shape(json.dumps(record.params["shape"]))
    return Recalled(record, backend.archive.image(record.inspection_id), shape)
