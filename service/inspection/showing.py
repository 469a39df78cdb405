"""What a screen shows of stored pictures: a ROI's samples, small pictures of samples and of inspections."""

from __future__ import annotations

from service.backend import Kept
from service.contract.samples import SampleAbout, SamplesListAnswer
from service.contract.words import Label
from service.errors import ImageTypeNotRead, SampleDamaged, UndecodableImage
from service.inspection.pictures import picture_of
from service.vision.images import thumbnail


def samples(kept: Kept, role_id: str, roi_id: str, label: Label) -> SamplesListAnswer:
    """Oldest first. Raises SampleDamaged."""
    found = [
        SampleAbout(**{name: getattr(sample, name) for name in SampleAbout.model_fields})
        for sample in kept.samples.samples(role_id, roi_id, label)
    ]
    return SamplesListAnswer(samples=found)


def sample_thumbnail(kept: Kept, role_id: str, roi_id: str, label: Label, filename: str, side: int) -> bytes:
    """JPEG. Raises NotFound, SampleDamaged."""
    data = kept.samples.picture(role_id, roi_id, label, filename)
    try:
        return _small(kept, data, side, filename)
    except (ImageTypeNotRead, UndecodableImage) as error:
        raise SampleDamaged(f"The {label} sample of {role_id}/{roi_id}, {error.detail} Delete it.") from error


def inspection_thumbnail(kept: Kept, inspection_id: str, side: int) -> bytes:
    """JPEG. Raises NotFound (no such inspection, or its picture was not kept), UndecodableImage."""
    return _small(kept, picture_of(kept, kept.records.get(inspection_id)), side, inspection_id)


def frame_thumbnail(kept: Kept, frame_id: str, side: int) -> bytes:
    """JPEG. Raises NotFound (no such frame, or its picture was not kept), UndecodableImage."""
    return _small(kept, kept.archive.image(kept.frames.get(frame_id).frame_id), side, frame_id)


def _small(kept: Kept, data: bytes, side: int, name: str) -> bytes:
    return thumbnail(kept.decode(data, name), side)
