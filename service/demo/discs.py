"""Draws pictures of brake discs, good and defective, for the demo, the benchmarks and the tests.

Every good part differs as real ones do: turning and grinding marks, light, position, rotation, exposure, noise.
A seed gives the same disc with and without a defect, so the two pictures differ on the defect only.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.demo.defects import add_defect
from service.demo.view import (
    ANNULUS_INNER_MM,
    ANNULUS_OUTER_MM,
    BOLT_CIRCLE_R_MM,
    BOLT_R_MM,
    BORE_R_MM,
    DISC_R_MM,
    PICTURE_MM,
    PIN_R_MM,
    RING_INNER_MM,
    RING_OUTER_MM,
    Floats,
    Mask,
    View,
    clip01,
    grain,
    lay,
    random_view,
    smooth_line,
)

DEFECTS = ("scratch", "pore", "crack", "stain")


@dataclass(frozen=True)
class DiscPicture:
    """One drawn part. `image_rgb` (size, size, 3) uint8 RGB; `mask` (size, size) bool, true on the defect."""

    image_rgb: NDArray[np.uint8]
    mask: Mask
    defect: str | None
    area_mm2: float  # of the mask
    mm_per_px: float


def draw_disc(seed: int, *, defect: str | None = None, area_mm2: float = 4.0, size: int = 512) -> DiscPicture:
    """Draw the disc number `seed`, good or with one defect of `area_mm2` (exact to one pixel) on the friction ring."""
    if defect is not None and defect not in DEFECTS:
        raise ValueError(f"defect must be one of {', '.join(DEFECTS)}, not {defect!r}")
    if not 0 < area_mm2 <= 60:
        raise ValueError(f"area_mm2 must be above 0 and at most 60, not {area_mm2}")  # larger ones leave the ring
    rng = np.random.default_rng([seed, 0])
    view = random_view(rng, size)
    grey = _background(view, rng)
    _add_friction_ring(grey, view, rng)
    _add_hub(grey, view, rng)
    scene = grey[:, :, None] * _tint(rng)
    mask = np.zeros((size, size), np.bool_)
    if defect is not None:
        add_defect(scene, mask, view, np.random.default_rng([seed, 1]), defect, area_mm2)
    mm_per_px = PICTURE_MM / size
    return DiscPicture(_photograph(scene, view, rng), mask, defect, float(mask.sum()) * mm_per_px**2, mm_per_px)


def ring_shape(size: int = 512) -> dict[str, str | float]:
    """The friction ring of a picture of `size` px as the contract's annulus, inside the ring wherever the disc lies."""
    px_per_mm = size / PICTURE_MM
    return {
        "kind": "annulus",
        "cx": (size - 1) / 2,
        "cy": (size - 1) / 2,
        "r": ANNULUS_OUTER_MM * px_per_mm,
        "r_inner": ANNULUS_INNER_MM * px_per_mm,
    }


def _background(view: View, rng: np.random.Generator) -> Floats:
    """A dark rubber mat, with the soft shadow that the disc throws away from the light."""
    lx, ly = view.light
    shadow_r = np.hypot(view.x + 1.5 * lx, view.y + 1.5 * ly)
    shadow = clip01((shadow_r - (DISC_R_MM - 1)) / 4)
    mat = rng.uniform(0.15, 0.19) + 0.018 * grain(rng, view.size, sigma=0.8)
    return (mat * (0.35 + 0.65 * shadow)).astype(np.float32)


def _add_friction_ring(grey: Floats, view: View, rng: np.random.Generator) -> None:
    """Turned and ground iron with its two chamfers. Concentric marks reflect a light as a bow tie (Kajiya-Kay)."""
    marks = _tool_marks(view, rng)
    # Each groove is tilted a little differently, which frays the edges of the highlight as on real turned faces.
    tilt = view.across + 1.6 * marks * view.facing
    highlight = np.exp(-rng.uniform(2.2, 4.0) * tilt * tilt) * (1 + 0.22 * view.facing)
    hatch = _cross_hatch(view, rng)
    ring = 0.42 + marks + hatch + 0.36 * view.light_strength * highlight * (1 + 2 * (marks + hatch))
    ring += rng.uniform(-0.02, 0.02) * (view.r - 48) / 10  # a face is never quite flat
    lambert = 0.42 + 0.3 * view.light_strength * view.facing
    lay(grey, lambert, 1 - view.outside(DISC_R_MM))
    lay(grey, ring.astype(np.float32), 1 - view.outside(RING_OUTER_MM))
    lay(grey, 0.62 - lambert * 0.6, 1 - view.outside(RING_INNER_MM))


def _tool_marks(view: View, rng: np.random.Generator) -> Floats:
    """Concentric grooves: a fine feed of random pitch and phase, plus uneven tracks. About ±0.05 around 0."""
    step_mm = 0.05
    radius = np.arange(0, PICTURE_MM, step_mm)
    feed = np.sin(2 * np.pi * (radius / rng.uniform(0.62, 0.95) + rng.uniform()))
    fine, coarse = (smooth_line(rng, radius.size, sigma) for sigma in (3.0, 16.0))
    profile = 0.009 * feed + 0.02 * fine + 0.011 * coarse
    return profile.astype(np.float32)[(view.r / step_mm).astype(np.int32)]


def _cross_hatch(view: View, rng: np.random.Generator) -> Floats:
    """Two crossing families of grinding arcs, faint. About ±0.02 around 0."""
    lines = 4096  # about 0.07 mm apart on the ring: below one pixel
    slope = rng.uniform(0.0022, 0.0042)  # turns per mm of radius: arcs at 35..50 degrees to the tool marks
    hatch = np.zeros_like(view.r)
    for direction in (-slope, slope):
        profile = (rng.uniform(0.004, 0.012) * smooth_line(rng, lines, 2.5)).astype(np.float32)
        position = (view.turn + direction * view.r) * lines
        hatch += profile[position.astype(np.int32) & (lines - 1)]
    return hatch


def _add_hub(grey: Floats, view: View, rng: np.random.Generator) -> None:
    """Sand-cast hat inside the ring, a turned seat around the bore, five bolt holes and a pin hole at any rotation."""
    lx, ly = view.light
    sand_px = view.size / 512
    bumps = grain(rng, view.size, sigma=0.9 * sand_px) + 1.5 * grain(rng, view.size, sigma=3.5 * sand_px)
    relief = lx * cv2.Sobel(bumps, cv2.CV_32F, 1, 0) + ly * cv2.Sobel(bumps, cv2.CV_32F, 0, 1)
    hat_r = RING_INNER_MM - 1.6
    cast = rng.uniform(0.25, 0.30) + 0.012 * bumps - 0.0065 * relief
    edge = np.exp(-((view.r - (hat_r - 1.2)) ** 2) / 1.1)  # the rounded shoulder
    cast += 0.16 * view.light_strength * view.facing * edge
    lay(grey, np.full_like(grey, 0.09), 1 - view.outside(hat_r + 0.8))  # undercut between hat and ring
    lay(grey, cast.astype(np.float32), 1 - view.outside(hat_r))
    highlight = np.exp(-3 * view.across * view.across)
    seat = 0.36 + 0.16 * view.light_strength * highlight + 1.3 * _tool_marks(view, rng)
    lay(grey, seat.astype(np.float32), 1 - view.outside(BORE_R_MM + 4.5))
    _drill(grey, view, 0, 0, BORE_R_MM)
    rotation = rng.uniform(0, 2 * np.pi)
    for fifths, radius in [(0.5, PIN_R_MM)] + [(hole, BOLT_R_MM) for hole in range(5)]:
        angle = rotation + fifths * 2 * math.pi / 5
        _drill(grey, view, BOLT_CIRCLE_R_MM * math.cos(angle), BOLT_CIRCLE_R_MM * math.sin(angle), radius)


def _drill(grey: Floats, view: View, x_mm: float, y_mm: float, radius_mm: float) -> None:
    """A through hole with a chamfer: the chamfer is bright on the side away from the light, the wall is seen dark."""
    dx, dy = view.x - x_mm, view.y - y_mm
    rows = np.flatnonzero(np.abs(dy[:, 0]) < radius_mm + 2)
    cols = np.flatnonzero(np.abs(dx[0]) < radius_mm + 2)
    window = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    dx, dy = dx[window], dy[window]
    r = np.hypot(dx, dy)
    facing = (dx * view.light[0] + dy * view.light[1]) / np.maximum(r, 0.1)
    chamfer = 0.38 - 0.3 * view.light_strength * facing
    depth = 0.05 + 0.1 * clip01(-facing) * clip01(r / radius_mm - 0.6)
    lay(grey[window], chamfer, 1 - view.outside(radius_mm + 0.75, r))
    lay(grey[window], depth, 1 - view.outside(radius_mm, r))


def _photograph(scene: Floats, view: View, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lens and sensor: vignette, blur, exposure ±8 %, noise. (size, size, 3) radiance 0..1 to uint8 RGB."""
    from_middle = view.r / (PICTURE_MM / 2)
    exposure = 255 * rng.uniform(0.92, 1.08)
    gain = exposure * (1 - rng.uniform(0.06, 0.14) * from_middle * from_middle)
    picture = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.45, 0.75)) * gain[:, :, None]
    picture += rng.standard_normal(picture.shape, np.float32) * rng.uniform(1.0, 2.0)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _tint(rng: np.random.Generator) -> Floats:
    """White balance is never perfect: (3,) factors within 2 %."""
    warmth = rng.uniform(-0.02, 0.02)
    return np.array((1 + warmth, 1.0, 1.015 - warmth), np.float32)
