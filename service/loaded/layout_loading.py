"""A stored layout as one that frames can be aligned with: parsed, its master decoded, its marks prepared."""

from __future__ import annotations

import numpy as np
from pydantic import ValidationError

from service.contract.layouts import Layout
from service.errors import Problem
from service.loaded.layouts import LoadedLayout
from service.store.layouts import Layouts, damaged
from service.vision.find_part import prepare_marks
from service.vision.images import decode


def load_layout(layouts: Layouts, role_id: str) -> LoadedLayout:
    """Raises NotFound, LayoutDamaged."""
    value, master_png = layouts.read_whole(role_id)
    layout = parsed(value, role_id)
    if not layout.marks:
        return LoadedLayout(layout)
    if master_png is None:
        raise damaged(role_id, "its marks have no master picture")
    return LoadedLayout(layout, prepare_marks(master_pixels(master_png, role_id), layout.marks))


def parsed(value: dict[str, object], role_id: str) -> Layout:
    """Raises LayoutDamaged."""
    try:
        return Layout.model_validate(value)
    except ValidationError as error:
        raise damaged(role_id, error.errors()[0]["msg"]) from error


def master_pixels(png: bytes, role_id: str) -> np.ndarray:
    """RGB uint8 (h, w, 3) of a stored master. Raises LayoutDamaged."""
    try:
        return decode(png, max_mpx=float("inf"), name="master picture")
    except Problem as problem:
        raise damaged(role_id, problem.detail) from problem
