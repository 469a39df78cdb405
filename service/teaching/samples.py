"""Samples of an ROI: pictures checked, made PNG, stored all or none; listed, moved, deleted, shown small."""

from __future__ import annotations

from typing import Any

from service.backend import Device, Kept, People
from service.contract.samples import (
    DatasetAnswer,
    FromInspectionsRequest,
    GoldenAnswer,
    GoldenRequest,
    GoldenSample,
    LabelSummary,
    MovedAnswer,
    MoveRequest,
    SampleAbout,
    SamplesListAnswer,
    UploadAnswer,
)
from service.contract.shapes import parse_shape
from service.contract.words import Label
from service.errors import ImageTypeNotRead, InvalidField, NotFound, SampleDamaged, UndecodableImage
from service.inspection.pictures import Recalled, recall, small
from service.loaded.scale import refuse_scale_of_others
from service.store.samples import LABELS, NewSample, part_id_of
from service.vision.images import encode_png
from service.vision.masks import pixel_mask

# Inspections that a sentence names one by one.
NAMED = 10


def upload(
    device: Device, kept: Kept, people: People, role_id: str, roi_id: str, label: Label,
    images: list[tuple[str, bytes]], metas: list[dict[str, Any]], mm_per_px: float | None,
) -> UploadAnswer:  # fmt: skip
    """`metas` aligned to images; their `mm_per_px` comes before the request's. Raises ScaleMismatch, InvalidField."""
    people.freezing.refuse()
    samples = [_sample(kept, name, data, meta, mm_per_px) for (name, data), meta in zip(images, metas, strict=True)]
    return _add(device, kept, people, role_id, roi_id, label, samples)


def from_inspections(
    device: Device, kept: Kept, people: People, label: Label, asked: FromInspectionsRequest
) -> UploadAnswer:
    """Samples of what those inspections looked at, of all or of none.

    Raises NotFound (naming those without a picture), InvalidField (of another ROI), ScaleMismatch, TrainingFrozen.
    """
    people.freezing.refuse()
    samples, missing = [], []
    for inspection_id in dict.fromkeys(asked.inspection_ids):
        try:
            recalled = recall(kept, kept.records.get(inspection_id))
        except NotFound:
            missing.append(inspection_id)
            continue
        _refuse_other_roi(recalled, asked.role_id, asked.roi_id)
        samples.append(_recalled_sample(kept, recalled))
    if missing:
        named = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        raise NotFound(f"There is no picture (any more) of {named}; nothing was stored. Take others.")
    return _add(device, kept, people, asked.role_id, asked.roi_id, label, samples)


def _add(
    device: Device, kept: Kept, people: People, role_id: str, roi_id: str, label: Label, samples: list[NewSample]
) -> UploadAnswer:
    for sample in samples:
        refuse_scale_of_others(kept.samples, device.models, role_id, roi_id, sample.mm_per_px)
    added = kept.samples.add(role_id, roi_id, label, samples)
    files = [sample.filename for sample in added]
    people.note("dataset_add", _place(role_id, roi_id, label), new={"files": files})
    count = len(kept.samples.filenames(role_id, roi_id, label))
    return UploadAnswer(saved=len(added), files=files, count=count)


def delete(kept: Kept, people: People, role_id: str, roi_id: str, label: Label, filename: str) -> int:
    """Raises NotFound, TrainingFrozen."""
    people.freezing.refuse()
    kept.samples.delete(role_id, roi_id, label, filename)
    people.note("dataset_delete", _place(role_id, roi_id, label), old={"files": [filename]})
    return 1


def relabel(kept: Kept, people: People, asked: MoveRequest) -> MovedAnswer:
    """Raises NotFound, TrainingFrozen, InvalidField (it is there already), SampleDamaged, Conflict, DiskFull."""
    people.freezing.refuse()
    if asked.to == asked.label:
        raise InvalidField(f"to: the sample is {asked.label} already; name the other label.")
    kept.samples.relabel(asked.role_id, asked.roi_id, asked.label, asked.filename, asked.to)
    place: dict[str, object] = {"role_id": asked.role_id, "roi_id": asked.roi_id, "file": asked.filename}
    people.note("dataset_move", place, old={"label": asked.label}, new={"label": asked.to})
    return MovedAnswer(filename=asked.filename)


def clear(kept: Kept, people: People, role_id: str, roi_id: str, label: Label) -> int:
    """Raises TrainingFrozen."""
    people.freezing.refuse()
    files = kept.samples.filenames(role_id, roi_id, label)
    count = kept.samples.clear(role_id, roi_id, label)
    people.note("dataset_clear", _place(role_id, roi_id, label), old={"files": files})
    return count


def mark_golden(kept: Kept, people: People, asked: GoldenRequest) -> GoldenAnswer:
    """Raises NotFound, SampleDamaged, TrainingFrozen."""
    people.freezing.refuse()
    role_id, roi_id, label = asked.role_id, asked.roi_id, asked.label
    before = kept.samples.mark_golden(role_id, roi_id, label, asked.filename, asked.expected)
    people.note("golden", {**_place(role_id, roi_id, label), "file": asked.filename}, old=before, new=asked.expected)
    return golden(kept, role_id, roi_id)


def golden(kept: Kept, role_id: str | None = None, roi_id: str | None = None) -> GoldenAnswer:
    """Golden samples of one ROI, of a role, or of all."""
    wanted = [s for s in kept.samples.golden() if role_id in (None, s.role_id) and roi_id in (None, s.roi_id)]
    return GoldenAnswer(
        golden=[
            GoldenSample(role_id=s.role_id, roi_id=s.roi_id, label=s.label, filename=s.filename, expected=s.golden)
            for s in wanted
            if s.golden
        ]
    )


def _place(role_id: str, roi_id: str, label: Label) -> dict[str, object]:
    return {"role_id": role_id, "roi_id": roi_id, "label": label}


def listing(kept: Kept, role_id: str, roi_id: str) -> DatasetAnswer:
    files = {label: kept.samples.filenames(role_id, roi_id, label) for label in LABELS}
    return DatasetAnswer(
        role_id=role_id,
        roi_id=roi_id,
        mm_per_px=kept.samples.mm_per_px(role_id, roi_id),
        classes={label: LabelSummary(count=len(names), files=names) for label, names in files.items()},
    )


def _sample(kept: Kept, name: str, data: bytes, meta: dict[str, Any], mm_per_px: float | None) -> NewSample:
    image = kept.decode(data, name)
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


def _recalled_sample(kept: Kept, recalled: Recalled) -> NewSample:
    record = recalled.record
    image = kept.decode(recalled.image, record.inspection_id)
    return NewSample(
        png=encode_png(image), mm_per_px=record.mm_per_px, width=image.shape[1], height=image.shape[0],
        source_name=record.inspection_id, meta={"part_id": record.part_id} if record.part_id else {},
        shape=recalled.shape.model_dump() if recalled.shape else None,
    )  # fmt: skip


def _refuse_other_roi(recalled: Recalled, role_id: str, roi_id: str) -> None:
    record = recalled.record
    if (record.role_id, record.roi_id) != (role_id, roi_id):
        raise InvalidField(
            f"inspection_ids: {record.inspection_id} is of {record.role_id}/{record.roi_id}, not of {role_id}/{roi_id}."
        )


def samples(kept: Kept, role_id: str, roi_id: str, label: Label) -> SamplesListAnswer:
    """Oldest first. Raises SampleDamaged."""
    found = [
        SampleAbout(
            **{name: getattr(sample, name) for name in SampleAbout.model_fields if name != "part_id"},
            part_id=part_id_of(sample) or None,
        )
        for sample in kept.samples.samples(role_id, roi_id, label)
    ]
    return SamplesListAnswer(samples=found)


def sample_thumbnail(kept: Kept, role_id: str, roi_id: str, label: Label, filename: str, side: int) -> bytes:
    """JPEG. Raises NotFound, SampleDamaged."""
    data = kept.samples.picture(role_id, roi_id, label, filename)
    try:
        return small(kept, data, side, filename)
    except (ImageTypeNotRead, UndecodableImage) as error:
        raise SampleDamaged(f"The {label} sample of {role_id}/{roi_id}, {error.detail} Delete it.") from error
