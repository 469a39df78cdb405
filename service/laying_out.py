"""Layouts of roles: read, change, align a frame with its master, cut samples from frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from service.backend import Backend
from service.contract_layouts import Alignment, Layout
from service.errors import NotAligned
from service.store.layouts import damaged


@dataclass(frozen=True, eq=False)
class LoadedLayout:
    """A layout and what its marks are found with."""

    layout: Layout

    @property
    def mm_per_px(self) -> float:
        """Of a layout that has ROIs."""
        assert self.layout.mm_per_px is not None
        return self.layout.mm_per_px


def read_layout(backend: Backend, role_id: str) -> LoadedLayout:
    """Raises NotFound, LayoutDamaged."""
    value, _master = backend.layouts.read_whole(role_id)
    try:
        return LoadedLayout(Layout.model_validate(value))
    except ValidationError as error:
        raise damaged(role_id, error.errors()[0]["msg"]) from error


def align(loaded: LoadedLayout, frame_rgb: np.ndarray) -> Alignment | None:
    """Where the part lies in a frame uint8 (h, w, 3); None for a layout without marks. Raises NotAligned."""
    master = loaded.layout.master
    height, width = frame_rgb.shape[:2]
    if master is not None and (master.width, master.height) != (width, height):
        raise NotAligned(
            f"The picture has {width}x{height} pixels, the master {master.width}x{master.height}: "
            "take it with the camera and the settings that took the master, or take a new master."
        )
    return None
