"""Notices an ROI that is NG again and again: n of its last m parts, told once until it has recovered."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tray.icon.notify import Note

# Two inspections that overlap are committed in another order than they began: look that far back again.
_OVERLAP = timedelta(seconds=5)
_Roi = tuple[str, str]


@dataclass
class NgWatch:
    """`ng` of the last `of` parts of an ROI raise an alarm; 0 switches it off. Used by one thread.

    Inspections without a verdict count for nothing: they say neither OK nor NG.
    """

    ng: int
    of: int
    _begun: bool = False
    _newest_utc: str | None = None
    _met: frozenset[str] = frozenset()  # what the last answer held: the overlap hands it out again
    _last: dict[_Roi, deque[bool]] = field(default_factory=dict)
    _alarmed: set[_Roi] = field(default_factory=set)

    @property
    def since_utc(self) -> str | None:
        """From when on to ask; None before the first inspection ever."""
        if self._newest_utc is None:
            return None
        return (datetime.fromisoformat(self._newest_utc) - _OVERLAP).isoformat()

    def feed(self, inspections: Sequence[Mapping[str, Any]]) -> list[Note]:
        """Inspections newest first, as GET /inspections gives them, those met before among them.

        The first time nothing is said: what was inspected before the tray came is history, no news.
        """
        new = [item for item in reversed(inspections) if item["inspection_id"] not in self._met]
        if inspections:
            self._newest_utc = inspections[0]["time_utc"]
            self._met = frozenset(item["inspection_id"] for item in inspections)
        if not self._begun:
            self._begun = True
            return []
        counted = (item for item in new if item["verdict"] is not None)
        notes = [self._count((item["role_id"], item["roi_id"]), item["verdict"] == "NG") for item in counted]
        return [note for note in notes if note is not None]

    def _count(self, roi: _Roi, is_ng: bool) -> Note | None:
        last = self._last.setdefault(roi, deque(maxlen=max(1, self.of)))
        last.append(is_ng)
        if not 0 < self.ng <= sum(last):
            self._alarmed.discard(roi)
            return None
        if roi in self._alarmed:
            return None
        self._alarmed.add(roi)
        return Note("note.ng", (("role", roi[0]), ("roi", roi[1]), ("ng", sum(last)), ("of", len(last))))
