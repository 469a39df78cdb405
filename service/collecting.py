"""Collect samples: pictures checked, made PNG, stored all or none."""

from __future__ import annotations

from typing import Any

from service.backend import Backend
from service.contract import DatasetAnswer, Label, LabelSummary, UploadAnswer
from service.errors import InvalidField
from service.geometry import parse_shape, pixel_mask
from service.images import decode, encode_png
from service.store.datasets import LABELS, NewSample
from service.teaching import refuse_scale_of_others


def upload(
    backend: Backend, role_id: str, roi_id: str, label: Label, images: list[tuple[str, bytes]],
    metas: list[dict[str, Any]], mm_per_px: float | None,
) -> UploadAnswer:  # fmt: skip
    """`metas` aligned to images; their `mm_per_px` comes before the request's. Raises ScaleMismatch, InvalidField."""
    samples = [_sample(backend, name, data, meta, mm_per_px) for (name, data), meta in zip(images, metas, strict=True)]
    for sample in samples:
        refuse_scale_of_others(backend, role_id, roi_id, sample.mm_per_px)
    added = backend.datasets.add(role_id, roi_id, label, samples)
    count = len(backend.datasets.filenames(role_id, roi_id, label))
    return UploadAnswer(saved=len(added), files=[sample.filename for sample in added], count=count)


def listing(backend: Backend, role_id: str, roi_id: str) -> DatasetAnswer:
    files = {label: backend.datasets.filenames(role_id, roi_id, label) for label in LABELS}
    return DatasetAnswer(
        role_id=role_id,
        roi_id=roi_id,
        mm_per_px=backend.datasets.mm_per_px(role_id, roi_id),
        classes={label: LabelSummary(count=len(names), files=names) for label, names in files.items()},
    )


def _sample(backend: Backend, name: str, data: bytes, meta: dict[str, Any], mm_per_px: float | None) -> NewSample:
    image = decode(data, max_mpx=backend.settings.max_image_mpx, name=name)
    scale = meta.pop("mm_per_px", None) or mm_per_px
    if scale is None:
        raise InvalidField(f"{name}: mm_per_px is missing; send it as a field or in the picture's meta.")
    shape = parse_shape(meta.pop("shape", None))
    height, width = image.shape[:2]
    pixel_mask(shape, height, width)
    return NewSample(
        png=encode_png(image), mm_per_px=scale, width=width, height=height, source_name=name, meta=meta,
        shape=shape.model_dump() if shape else None,
    )  # fmt: skip
