"""Layouts kept in memory with what their marks are found with, read again only when their files change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service.contract.layouts import Layout
from service.store.layouts import Stamp
from service.vision.find_mark import Template

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
        self._entries: OrderedDict[str, tuple[Stamp, LoadedLayout]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, role_id: str) -> LoadedLayout:
        """A warm one costs two `stat`. Raises what loading does."""
        stamp = self._stamp(role_id)
        with self._lock:
            entry = self._entries.get(role_id)
            if entry is not None and entry[0] == stamp:
                self._entries.move_to_end(role_id)
                return entry[1]
        loaded = self._load(role_id)  # the stamp is from before: what changes meanwhile is read again next time
        with self._lock:
            self._entries[role_id] = stamp, loaded
            self._entries.move_to_end(role_id)
            while len(self._entries) > CAPACITY:
                self._entries.popitem(last=False)
        return loaded
