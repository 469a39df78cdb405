"""Layouts of roles: read, change, delete; and aligning a frame with a layout's master."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from service import caller
from service.backend import Device, Kept, People
from service.contract.layouts import (
    Alignment,
    Layout,
    LayoutAnswer,
    LayoutRequest,
    LayoutsAnswer,
    LayoutSummary,
    Master,
)
from service.contract.samples import DeletedAnswer
from service.errors import NotAligned, NotFound
from service.layouts.rules import refuse_impossible
from service.loaded.layouts import LoadedLayout, master_pixels, parsed
from service.loaded.scale import refuse_scale_of_others
from service.store.files import sha256
from service.store.layouts import StoredLayout, refuse_other_revision
from service.vision.find_part import find_part
from service.vision.images import encode_png

__all__ = ["LoadedLayout", "align", "change", "change_master", "delete", "layouts", "master", "read_layout"]


def read_layout(kept: Kept, role_id: str) -> LoadedLayout:
    """Raises NotFound, LayoutDamaged."""
    return kept.loaded_layouts.get(role_id)


def align(loaded: LoadedLayout, frame_rgb: np.ndarray) -> Alignment | None:
    """Where the part lies in a frame uint8 (h, w, 3); None for a layout without marks. Raises NotAligned."""
    expected, (height, width) = loaded.layout.master, frame_rgb.shape[:2]
    if expected is not None and (expected.width, expected.height) != (width, height):
        raise NotAligned(
            f"The picture has {width}x{height} pixels, the master {expected.width}x{expected.height}: "
            "take it with the camera and the settings that took the master, or take a new master."
        )
    return find_part(loaded.templates, frame_rgb) if loaded.templates else None


def layouts(kept: Kept) -> LayoutsAnswer:
    return LayoutsAnswer(layouts=[_summary(stored) for stored in kept.layouts.all()])


def master(kept: Kept, role_id: str) -> bytes:
    """PNG. Raises NotFound, LayoutDamaged."""
    _value, png = kept.layouts.read_whole(role_id)
    if png is None:
        raise NotFound(f"The layout of {role_id} has no master picture; PUT /layouts/{role_id}/master sends one.")
    return png


def change(device: Device, kept: Kept, people: People, role_id: str, asked: LayoutRequest) -> LayoutAnswer:
    """Replace the marks and ROIs of `asked.revision`.

    Raises TrainingFrozen, LayoutChanged, InvalidLayout, ScaleMismatch, LayoutDamaged, DiskFull.
    """
    people.freezing.refuse()
    before, master_png = _stored(kept, role_id, asked.revision)
    pixels = master_pixels(master_png, role_id) if master_png is not None else None
    scale = asked.mm_per_px or (before.mm_per_px if before else None)
    refuse_impossible(asked.marks, asked.rois, scale, pixels)
    for roi in asked.rois:
        assert scale is not None  # refused above
        refuse_scale_of_others(kept.samples, device.models, role_id, roi.roi_id, scale)
    shown = before.master if before else None
    after = _next(
        role_id, before, mm_per_px=scale, locked=asked.locked, master=shown, marks=asked.marks, rois=asked.rois
    )
    return _store(kept, people, before, after, None)


def change_master(
    device: Device,
    kept: Kept,
    people: People,
    role_id: str,
    revision: int,
    name: str,
    image: bytes,
    mm_per_px: float | None,
) -> LayoutAnswer:
    """Another master picture; makes the layout when there is none. Marks and ROIs stay where they are, and have to fit.

    Raises what `change` does, and what `decode` does.
    """
    people.freezing.refuse()
    before, _ = _stored(kept, role_id, revision)
    pixels = kept.decode(image, name)
    marks, rois = (before.marks, before.rois) if before else ([], [])
    scale = mm_per_px or (before.mm_per_px if before else None)
    refuse_impossible(marks, rois, scale, pixels)
    for roi in rois:
        assert scale is not None  # refused above
        refuse_scale_of_others(kept.samples, device.models, role_id, roi.roi_id, scale)
    png = encode_png(pixels)
    shown = Master(width=pixels.shape[1], height=pixels.shape[0], sha256=sha256(png))
    locked = before.locked if before else False
    after = _next(role_id, before, mm_per_px=scale, locked=locked, master=shown, marks=marks, rois=rois)
    return _store(kept, people, before, after, png)


def delete(kept: Kept, people: People, role_id: str, revision: int) -> DeletedAnswer:
    """Raises NotFound, TrainingFrozen, LayoutChanged. A damaged layout goes whatever the revision."""
    people.freezing.refuse()
    before = kept.layouts.delete(role_id, revision)
    people.note("layout_delete", {"role_id": role_id}, old=before)
    return DeletedAnswer(deleted=1)


def _stored(kept: Kept, role_id: str, revision: int) -> tuple[Layout | None, bytes | None]:
    """The stored layout and master that a change starts from; None when there is none yet.

    Raises LayoutChanged, LayoutDamaged.
    """
    try:
        value, png = kept.layouts.read_whole(role_id)
    except NotFound:
        refuse_other_revision(role_id, None, revision)
        return None, None
    refuse_other_revision(role_id, value, revision)
    return parsed(value, role_id), png


def _next(role_id: str, before: Layout | None, **fields: object) -> Layout:
    return Layout.model_validate(
        {
            "role_id": role_id,
            "revision": (before.revision if before else 0) + 1,
            "updated_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "updated_by": caller.name(),
            **fields,
        }
    )


def _store(kept: Kept, people: People, before: Layout | None, after: Layout, master_png: bytes | None) -> LayoutAnswer:
    kept.layouts.store(after.role_id, after.revision - 1, after.model_dump(mode="json"), master_png)
    old = before.model_dump(mode="json") if before else None
    people.note("layout", {"role_id": after.role_id}, old=old, new=after.model_dump(mode="json"))
    return LayoutAnswer(**after.model_dump())


def _summary(stored: StoredLayout) -> LayoutSummary:
    value = stored.value
    return LayoutSummary(
        role_id=value.get("role_id", stored.folder),
        revision=value.get("revision", 0),
        n_rois=len(value.get("rois", [])),
        mm_per_px=value.get("mm_per_px"),
        updated_utc=value.get("updated_utc", ""),
        has_master=bool(value.get("master")),
        locked=value.get("locked", False),
        damaged=stored.damaged,
    )
