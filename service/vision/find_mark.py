"""Finds a reference mark in a frame: its place to a fraction of a pixel, its turn, and how well it matches.

1. Mark and search area are shrunk until the mark has about 24 px, and compared by normalised cross-correlation, the
   mark turned in steps up to ±10°. The best few places go on.
2. At each, correlation at full resolution, some pixels around; the peak between pixels is a parabola's.
3. OpenCV's ECC (Evangelidis & Psarakis, "Parametric Image Alignment Using Enhanced Correlation Coefficient
   Maximization", 2008) on shift and turn: light and contrast do not count.

The score is the normalised correlation at the end, 0 where the frame shows no contrast. Pure numpy + OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from service.contract.layouts import Mark
from service.vision.roi_picture import rotation
from service.vision.subpixel import box_around, grey_of, peak, peak_of, shrunk, smoothed, turned_crop, unit_norm

MAX_TURN_DEG = 10.0
COARSE_PX, FINE_PX = 18, 160  # root of the mark's area while searching, and at most while refining
LARGEST_STEP_DEG, COARSE_SLACK_PX = 5.0, 0.6  # between two turns, the mark's end moves by twice this at most
CANDIDATES = 3
# ECC ends after so many steps, or when one gains less than this of the correlation; it looks this far around.
CRITERIA, REACH_PX = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 1e-4), 4
HOPELESS = 0.25  # correlation at full resolution, before the turn is refined: that is not the mark
LEAST_OF_CONTRAST = 0.25  # of the master's: a shape in the dark or in noise is not the mark


@dataclass(frozen=True, eq=False)
class Found:
    """`place` float64 (2,): the mark's centre in pixels of the frame."""

    place: np.ndarray
    angle_deg: float
    score: float


@dataclass(frozen=True, eq=False)
class Template:
    """A mark of the master, ready to be looked for.

    `centre` float64 (2,) and `search` (left, top, right, bottom) in pixels of the master, `size` (w, h) in pixels.
    Searching: shrunk by `shrink`, `turned` are (angle in degrees, uint8 (h, w)).
    Refining: shrunk by `fine`, `unit` float32 (h, w) of zero mean and unit norm.
    """

    centre: np.ndarray
    size: tuple[int, int]
    search: tuple[float, float, float, float]
    contrast: float
    shrink: int
    turned: tuple[tuple[float, np.ndarray], ...]
    fine: int
    unit: np.ndarray

    def angle_at(self, index: float) -> float:
        """Of a place between the steps of `turned`."""
        return float(np.interp(index, range(len(self.turned)), [angle for angle, _ in self.turned]))

    @property
    def slack_px(self) -> float:
        """The shift that costs a tenth of the correlation where it shows least; infinite along an edge.

        Of the shrunk mark, in which noise, that looks the same nowhere, is averaged out.
        """
        changes = _changes(self.upright)
        information = float(np.linalg.eigvalsh(changes.T @ changes)[0])
        return self.shrink * (0.2 / information) ** 0.5 if information > 1e-9 else float("inf")

    @property
    def upright(self) -> np.ndarray:
        return self.turned[len(self.turned) // 2][1]


def prepare(master_rgb: np.ndarray, mark: Mark, *, turns: bool) -> Template:
    """`turns`: look for the mark turned up to ±10° as well. The master is uint8 (h, w, 3)."""
    left, top, w, h = round(mark.x), round(mark.y), max(1, round(mark.w)), max(1, round(mark.h))
    centre = np.array([left + (w - 1) / 2, top + (h - 1) / 2])
    side = (w * h) ** 0.5
    shrink, fine = max(1, int(side / COARSE_PX)), max(1, round(side / FINE_PX))
    shrink = min(shrink, w, h)
    grey, corner = grey_of(master_rgb, box_around(centre, np.hypot(w, h) / 2 + 4 * fine + 4))
    sharp = smoothed(grey, fine)
    middle = _to_fine(centre, corner, fine)
    patch = turned_crop(sharp, middle, 0.0, (max(1, w // fine), max(1, h // fine)))
    unit = unit_norm(patch)
    return Template(
        centre=centre,
        size=(w, h),
        search=(mark.search.x, mark.search.y, mark.search.x + mark.search.w, mark.search.y + mark.search.h),
        contrast=float(patch.std()),
        shrink=shrink,
        turned=tuple(
            (angle, _coarse_picture(grey, centre - corner, angle, (w, h), shrink))
            for angle in (_turns(max(w, h) / 2 / shrink) if turns else [0.0])
        ),
        fine=fine,
        unit=unit if unit is not None else np.zeros_like(patch),
    )


def find_mark(template: Template, frame_rgb: np.ndarray, *, turns: bool) -> list[Found]:
    """Places in a frame uint8 (h, w, 3) that look like the mark, best first; never empty."""
    left, top, right, bottom = template.search
    reach = 2 + 0.2 * max(template.size)  # a turned mark needs more room than its search area may have
    grey, corner = grey_of(frame_rgb, (left - reach, top - reach, right + reach, bottom + reach))
    found = [refine(template, frame_rgb, place, angle, turns=turns) for place, angle in _coarse(template, grey, corner)]
    found.sort(key=lambda one: -one.score)
    apart = min(template.size) / 4
    return [one for n, one in enumerate(found) if all(_distance(one, better) > apart for better in found[:n])]


def refine(template: Template, frame_rgb: np.ndarray, place: np.ndarray, angle_deg: float, *, turns: bool) -> Found:
    """The mark near a place that is known to some pixels; its angle stays when it does not turn."""
    fine, (rows, columns) = template.fine, template.unit.shape
    reach = -(-template.shrink // fine) + 2
    grey, corner = grey_of(frame_rgb, box_around(place, np.hypot(*template.size) / 2 + (reach + 4) * fine))
    near = smoothed(grey, fine)
    at, angle = _to_fine(place, corner, fine), angle_deg
    around = turned_crop(near, at, angle, (columns + 2 * reach, rows + 2 * reach))
    peaks = cv2.matchTemplate(around, template.unit, cv2.TM_CCOEFF_NORMED)
    if peaks.max() < HOPELESS:
        return Found(place, angle_deg, float(max(peaks.max(), 0.0)))
    at = at + rotation(angle) @ (peak(peaks) - reach)
    at, angle = _descend(template, near, at, angle, turns=turns)
    patch = turned_crop(near, at, angle, (columns, rows))
    return Found(at * fine + (fine - 1) / 2 + corner, angle, _score(template, patch))


def _score(template: Template, patch: np.ndarray) -> float:
    unit = unit_norm(patch)
    if unit is None or patch.std() < LEAST_OF_CONTRAST * template.contrast:
        return 0.0
    return min(max(float(unit.ravel() @ template.unit.ravel()), 0.0), 1.0)


def _descend(
    template: Template, near: np.ndarray, at: np.ndarray, angle: float, *, turns: bool
) -> tuple[np.ndarray, float]:
    """Place and angle of the highest correlation nearby; as they were where there is none."""
    rows, columns = template.unit.shape
    around = turned_crop(near, at, angle, (columns + 2 * REACH_PX, rows + 2 * REACH_PX))
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    warp = np.array([[1, 0, REACH_PX], [0, 1, REACH_PX]], np.float32)
    motion = cv2.MOTION_EUCLIDEAN if turns else cv2.MOTION_TRANSLATION
    try:
        _, found = cv2.findTransformECC(  # type: ignore[call-overload]  # OpenCV does not declare the filter size
            template.unit, around, warp, motion, CRITERIA, None, 1
        )
    except cv2.error:  # it does not converge: there is nothing of the mark
        return at, angle
    shift = found[:, :2].astype(np.float64) @ middle + found[:, 2] - REACH_PX - middle
    return at + rotation(angle) @ shift, angle + float(np.degrees(np.arctan2(found[1, 0], found[0, 0])))


def _coarse(template: Template, grey: np.ndarray, corner: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """The best places, in pixels of the frame, each with its angle."""
    shrink, (rows, columns) = template.shrink, template.turned[0][1].shape
    small = shrunk(grey, shrink)
    maps = np.stack([cv2.matchTemplate(small, picture, cv2.TM_CCOEFF_NORMED) for _, picture in template.turned])
    best = maps.max(0)
    found: list[tuple[np.ndarray, float]] = []
    for _ in range(CANDIDATES):
        _, score, _, (x, y) = cv2.minMaxLoc(best)
        if score <= 0 and found:
            break
        turns = maps[:, y, x]
        angle = template.angle_at(peak_of(turns))
        middle = np.array([x + (columns - 1) / 2, y + (rows - 1) / 2])
        found.append((middle * shrink + (shrink - 1) / 2 + corner, angle))
        best[max(0, y - rows // 3) : y + rows // 3 + 1, max(0, x - columns // 3) : x + columns // 3 + 1] = -1
    return found


def _turns(radius_px: float) -> list[float]:
    """Angles from -10° to 10°, 0 among them, so close that no end of the shrunk mark is far from one of them."""
    step = min(LARGEST_STEP_DEG, float(np.degrees(2 * COARSE_SLACK_PX / radius_px)))
    count = int(np.ceil(MAX_TURN_DEG / step))
    return [MAX_TURN_DEG * n / count for n in range(-count, count + 1)]


def _coarse_picture(
    grey: np.ndarray, middle: np.ndarray, angle: float, size: tuple[int, int], shrink: int
) -> np.ndarray:
    """The mark as a frame shows it when the part is turned by `angle`, uint8, shrunk."""
    whole = size[0] // shrink * shrink, size[1] // shrink * shrink
    return shrunk(turned_crop(grey, middle, -angle, whole), shrink)


def _changes(patch: np.ndarray) -> np.ndarray:
    """Float64 (h w, 2): how the patch, at zero mean and unit norm, changes by a pixel in x and in y."""
    by_y, by_x = np.gradient(patch.astype(np.float64)) if min(patch.shape) > 1 else (np.zeros(patch.shape),) * 2
    changes = np.stack([by_x.ravel(), by_y.ravel()], axis=1)
    centred = patch.ravel() - patch.mean()
    norm = float(np.linalg.norm(centred)) or 1.0
    unit = centred / norm
    changes -= changes.mean(0)
    return np.asarray((changes - np.outer(unit, unit @ changes)) / norm)


def _to_fine(point: np.ndarray, corner: np.ndarray, fine: int) -> np.ndarray:
    return np.asarray((point - corner - (fine - 1) / 2) / fine)


def _distance(one: Found, other: Found) -> float:
    return float(np.linalg.norm(one.place - other.place))
