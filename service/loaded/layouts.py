"""Layouts in memory with the templates of their marks; read again only when their files change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from cachetools import LRUCache
from pydantic import ValidationError

from service.contract.layouts import Layout
from service.errors import Problem
from service.store.layouts import Layouts, Stamp, damaged
from service.vision.find_mark import Template
from service.vision.find_part import prepare_marks
from service.vision.images import decode

CAPACITY = 32  # roles; marks of one take some hundred kB


@dataclass(frozen=True, eq=False)
class LoadedLayout:
    """A layout and what its marks are found with, in their order."""

    layout: Layout
    templates: tuple[Template, ...] = ()

    @property
    def mm_per_px(self) -> float:
        """Of a layout that has ROIs."""
        assert self.layout.mm_per_px is not None
        return self.layout.mm_per_px


class LayoutCache:
    """The one unused longest goes first."""

    def __init__(self, stamp: Callable[[str], Stamp], load: Callable[[str], LoadedLayout]) -> None:
        self._stamp, self._load = stamp, load
        self._entries: LRUCache[str, tuple[Stamp, LoadedLayout]] = LRUCache(CAPACITY)
        self._lock = threading.Lock()

    def get(self, role_id: str) -> LoadedLayout:
        """A warm one costs two `stat`. Raises what loading does."""
        stamp = self._stamp(role_id)
        with self._lock:
            entry = self._entries.get(role_id)
            if entry is not None and entry[0] == stamp:
                return entry[1]
        loaded = self._load(role_id)  # the stamp is from before: what changes meanwhile is read again next time
        with self._lock:
            self._entries[role_id] = stamp, loaded
        return loaded


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
