"""The layout that is being edited: ROIs and marks, the selection, undo and redo. Plain values, without a screen.

Each item has a key: `roi:0`, `mark:1`, `search:1` (the area in which mark 1 is looked for).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gui.layout.geometry import (
    Refused,
    Size,
    box_of,
    mark_moved,
    moved,
    new_mark,
    refuse_outside,
    search_changed,
    shape_of,
)
from service.contract.layouts import MAX_MARKS, MAX_ROIS, Layout, LayoutRequest, Mark, Roi

PASTED_PX = 20.0
MAX_STEPS = 200  # of undo; a step holds tuples of the ROIs that did not change, not copies


@dataclass(frozen=True)
class Draft:
    """The part of a layout that a person edits and saves."""

    rois: tuple[Roi, ...] = ()
    marks: tuple[Mark, ...] = ()
    mm_per_px: float | None = None
    locked: bool = False

    @classmethod
    def of(cls, layout: Layout) -> Draft:
        return cls(tuple(layout.rois), tuple(layout.marks), layout.mm_per_px, layout.locked)

    def request(self, revision: int) -> LayoutRequest:
        """Not checked here, because the service checks it and has the sentence for what is wrong."""
        return LayoutRequest.model_construct(
            revision=revision,
            mm_per_px=self.mm_per_px,
            locked=self.locked,
            marks=list(self.marks),
            rois=list(self.rois),
        )


class Editing:
    """A change is refused as a whole (raises Refused), or is one step of undo."""

    def __init__(self, draft: Draft, size: Size) -> None:
        self.draft, self.saved, self.size = draft, draft, size
        self.selected: str | None = None
        self.clipboard: Roi | None = None
        self._undo: list[Draft] = []
        self._redo: list[Draft] = []

    @property
    def dirty(self) -> bool:
        return self.draft != self.saved

    def possible(self, command: str) -> bool:
        """Whether the command would do anything now."""
        able = {
            "undo": self._undo, "redo": self._redo, "paste": self.clipboard, "duplicate": self.roi,
            "delete": self.selected, "copy": self.roi,
        }[command]  # fmt: skip
        return bool(able) and (command == "copy" or not self.draft.locked)

    def select(self, key: str | None) -> None:
        self.selected = key if key is not None and self._has(key) else None

    @property
    def roi(self) -> Roi | None:
        """The selected ROI."""
        kind, index = _parsed(self.selected)
        return self.draft.rois[index] if kind == "roi" else None

    @property
    def mark(self) -> Mark | None:
        """The selected mark, or the mark of the selected search area."""
        kind, index = _parsed(self.selected)
        return self.draft.marks[index] if kind in ("mark", "search") else None

    def add_roi(self, values: Mapping[str, Any], stem: str) -> Roi:
        roi = Roi(roi_id=self._free_name(stem), shape=shape_of(values["kind"], values))
        self._append(roi)
        return roi

    def add_mark(self, values: Mapping[str, Any]) -> None:
        self._refuse_locked()
        if len(self.draft.marks) >= MAX_MARKS:
            raise Refused("two_marks")
        mark = new_mark(box_of(values), self.size)
        self._do(replace(self.draft, marks=(*self.draft.marks, mark)))
        self.selected = f"mark:{len(self.draft.marks) - 1}"

    def reshape(self, key: str, values: Mapping[str, Any]) -> None:
        """Take over numbers of the drawing or of the fields; numbers that are not given stay."""
        self._refuse_locked()
        self.select(key)
        kind, index = _parsed(self.selected)
        if kind == "roi":
            self._put_roi(index, _reshaped(self.draft.rois[index], values))
        elif kind:
            mark = self.draft.marks[index]
            box = box_of({**(mark if kind == "mark" else mark.search).model_dump(exclude={"search"}), **values})
            change = mark_moved if kind == "mark" else search_changed
            marks = list(self.draft.marks)
            marks[index] = change(mark, box, self.size)
            self._do(replace(self.draft, marks=tuple(marks)))

    def rename(self, name: str) -> None:
        kind, index = _parsed(self.selected)
        if kind != "roi" or not name.strip():
            raise Refused("name_missing")
        if any(roi.roi_id == name.strip() for place, roi in enumerate(self.draft.rois) if place != index):
            raise Refused("name_taken", name=name.strip())
        self._refuse_locked()
        self._put_roi(index, self.draft.rois[index].model_copy(update={"roi_id": name.strip()}))

    def delete(self) -> None:
        """Delete the selection; a search area goes with its mark."""
        kind, index = _parsed(self.selected)
        if not kind:
            return
        self._refuse_locked()
        field = "rois" if kind == "roi" else "marks"
        left = [item for place, item in enumerate(getattr(self.draft, field)) if place != index]
        self.selected = None
        self._do(replace(self.draft, **{field: tuple(left)}))  # type: ignore[arg-type]

    def copy(self) -> None:
        self.clipboard = self.roi or self.clipboard

    def paste(self) -> None:
        """Put the copy beside the original, where there is room; its name gets another number."""
        if self.clipboard is None:
            return
        for dx, dy in ((1, 1), (-1, -1), (1, -1), (-1, 1), (0, 0)):
            shape = moved(self.clipboard.shape, dx * PASTED_PX, dy * PASTED_PX)
            roi = self.clipboard.model_copy(update={"shape": shape, "roi_id": self._free_name(self.clipboard.roi_id)})
            try:
                refuse_outside(roi, self.size)
            except Refused:
                continue
            self._append(roi)
            self.clipboard = roi
            return
        raise Refused("outside", name=self.clipboard.roi_id, px="–")

    def duplicate(self) -> None:
        if self.roi is not None:
            self.copy()
            self.paste()

    def set_scale(self, mm_per_px: float | None) -> None:
        self._refuse_locked()
        self._do(replace(self.draft, mm_per_px=mm_per_px))

    def set_locked(self, locked: bool) -> None:
        self._do(replace(self.draft, locked=locked))

    def undo(self) -> None:
        self._refuse_locked()
        if self._undo:
            self._redo.append(self.draft)
            self._back_to(self._undo.pop())

    def redo(self) -> None:
        self._refuse_locked()
        if self._redo:
            self._undo.append(self.draft)
            self._back_to(self._redo.pop())

    def now_saved(self, draft: Draft) -> None:
        """Not the draft of now: an edit during the call is not saved yet."""
        self.saved = draft

    def _append(self, roi: Roi) -> None:
        self._refuse_locked()
        if len(self.draft.rois) >= MAX_ROIS:
            raise Refused("too_many", n=MAX_ROIS)
        refuse_outside(roi, self.size)
        self._do(replace(self.draft, rois=(*self.draft.rois, roi)))
        self.selected = f"roi:{len(self.draft.rois) - 1}"

    def _put_roi(self, index: int, roi: Roi) -> None:
        refuse_outside(roi, self.size)
        rois = list(self.draft.rois)
        rois[index] = roi
        self._do(replace(self.draft, rois=tuple(rois)))

    def _do(self, draft: Draft) -> None:
        if draft == self.draft:
            return
        self._undo = [*self._undo, self.draft][-MAX_STEPS:]
        self._redo.clear()
        self.draft = draft

    def _back_to(self, draft: Draft) -> None:
        self.draft = draft
        self.select(self.selected)

    def _has(self, key: str) -> bool:
        kind, index = _parsed(key)
        return index < len(self.draft.rois if kind == "roi" else self.draft.marks)

    def _refuse_locked(self) -> None:
        if self.draft.locked:
            raise Refused("locked")

    def _free_name(self, stem: str) -> str:
        taken = {roi.roi_id for roi in self.draft.rois}
        base, _, number = stem.rpartition("-")
        base = base if base and number.isdigit() else stem
        return next(name for n in range(1, MAX_ROIS + 2) if (name := f"{base}-{n}") not in taken)


def _reshaped(roi: Roi, values: Mapping[str, Any]) -> Roi:
    # a turn has one name: from -180 up to 180 degrees
    angle = float(values.get("angle", roi.angle_deg))
    shape = shape_of(roi.shape.kind, {**roi.shape.model_dump(), **values})
    return roi.model_copy(update={"shape": shape, "angle_deg": round((angle + 180) % 360 - 180, 2)})


def _parsed(key: str | None) -> tuple[str, int]:
    kind, _, index = (key or "").partition(":")
    return kind, int(index or 0)
