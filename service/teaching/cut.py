"""Cut samples from whole frames: aligned, every ROI as its inspections will see it, stored for all ROIs or for none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from service.backend import Device, Kept, People
from service.contract.layouts import AlignAnswer, Roi, SamplesAnswer
from service.contract.words import Label
from service.errors import InvalidField, NotAligned, NotFound, RoiOutsideFrame
from service.layouts.edit import align, read_layout
from service.loaded.layouts import LoadedLayout
from service.loaded.scale import refuse_scale_of_others
from service.store.samples import NewSample
from service.vision.images import encode_png
from service.vision.roi_picture import RoiPicture, roi_pictures

Frame = tuple[str, bytes]  # name and bytes


def cut(
    device: Device,
    kept: Kept,
    people: People,
    role_id: str,
    label: Label,
    frames: Sequence[Frame],
    roi_ids: Sequence[str] | None,
    part_id: str | None = None,
) -> SamplesAnswer:
    """Samples of the ROIs named, None: of all. `part_id`: of the part that every frame shows, when somebody knows it.

    Raises NotFound, TrainingFrozen, InvalidField (no ROIs), NotAligned and RoiOutsideFrame (naming the frame),
    ScaleMismatch, what `decode` raises, DiskFull.
    """
    people.freezing.refuse()
    loaded = read_layout(kept, role_id)
    rois = _chosen(loaded, roi_ids)
    for roi in rois:
        refuse_scale_of_others(kept.samples, device.models, role_id, roi.roi_id, loaded.mm_per_px)
    samples: dict[str, list[NewSample]] = {roi.roi_id: [] for roi in rois}
    for name, data in frames:
        for picture in _pictures(kept, loaded, rois, name, data):
            samples[picture.roi_id].append(_sample(loaded, picture, name, part_id))
    saved = _store(kept, role_id, label, samples)
    for roi_id, files in saved.items():
        people.note("dataset_add", {"role_id": role_id, "roi_id": roi_id, "label": label}, new={"files": files})
    return SamplesAnswer(role_id=role_id, label=label, saved=saved)


def try_alignment(kept: Kept, role_id: str, name: str, image: bytes) -> AlignAnswer:
    """Nothing is recorded. Raises NotFound, LayoutDamaged, NotAligned, what `decode` raises."""
    loaded = read_layout(kept, role_id)
    return AlignAnswer(alignment=align(loaded, kept.decode(image, name)))


def _chosen(loaded: LoadedLayout, roi_ids: Sequence[str] | None) -> list[Roi]:
    rois = {roi.roi_id: roi for roi in loaded.layout.rois}
    if missing := sorted(set(roi_ids or ()) - set(rois)):
        raise NotFound(f"The layout of {loaded.layout.role_id} has no ROI {missing[0]!r}; it has {', '.join(rois)}.")
    chosen = [rois[roi_id] for roi_id in dict.fromkeys(roi_ids)] if roi_ids is not None else list(rois.values())
    if not chosen:
        raise InvalidField(f"roi_ids: no ROI of {loaded.layout.role_id} to cut; draw one in its layout, or name one.")
    return chosen


def _pictures(kept: Kept, loaded: LoadedLayout, rois: Sequence[Roi], name: str, data: bytes) -> list[RoiPicture]:
    frame_rgb = kept.decode(data, name)
    with _named(name):
        alignment = align(loaded, frame_rgb)
        return roi_pictures(rois, frame_rgb, np.array(alignment.matrix) if alignment else None)


def _sample(loaded: LoadedLayout, picture: RoiPicture, name: str, part_id: str | None) -> NewSample:
    height, width = picture.image_rgb.shape[:2]
    return NewSample(
        png=encode_png(picture.image_rgb),
        mm_per_px=loaded.mm_per_px,
        width=width,
        height=height,
        shape=picture.shape.model_dump(),
        source_name=name,
        meta={
            "layout_revision": loaded.layout.revision,
            "to_frame": picture.to_frame.tolist(),
            **({"part_id": part_id} if part_id else {}),
        },
    )


def _store(kept: Kept, role_id: str, label: Label, samples: dict[str, list[NewSample]]) -> dict[str, list[str]]:
    saved: dict[str, list[str]] = {}
    try:
        for roi_id, new in samples.items():
            saved[roi_id] = [sample.filename for sample in kept.samples.add(role_id, roi_id, label, new)]
    except BaseException:
        for roi_id, files in saved.items():
            for filename in files:
                kept.samples.delete(role_id, roi_id, label, filename)
        raise
    return saved


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Puts the frame's name in front of a problem's sentence."""
    try:
        yield
    except (NotAligned, RoiOutsideFrame) as problem:
        raise type(problem)(f"{name}: {problem.detail}") from None
