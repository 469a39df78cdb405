"""Draws pictures of brake discs, good and defective, for the demo, the benchmarks and the tests.

Every good part differs as real ones do: turning and grinding marks, light, position, rotation, exposure, noise.
A seed gives the same disc with and without a defect, so the two pictures differ on the defect only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

DEFECTS = ("scratch", "pore", "crack", "stain")

# The picture shows a small disc (118 mm, scooter or kart size) whole: a car disc of 280 mm would leave 3 px for 1 mm².
PICTURE_MM = 128.0
MM_PER_PX = PICTURE_MM / 512  # 0.25 mm at the usual 512 px: 1 mm² is 16 px

DISC_R_MM, BORE_R_MM, BOLT_CIRCLE_R_MM, BOLT_R_MM, PIN_R_MM = 59.0, 13.0, 24.5, 3.3, 1.7
RING_OUTER_MM, RING_INNER_MM = 58.0, 37.0  # the friction ring, between its chamfers
SHIFT_MM, SCALE_SPREAD = 3 * MM_PER_PX, 0.005  # position ±3 px at 512, magnification ±0.5 %
# 1.75 mm inside the ring: SHIFT_MM on the diagonal, SCALE_SPREAD of the radius and some blur keep it on the ring.
ANNULUS_OUTER_MM, ANNULUS_INNER_MM = RING_OUTER_MM - 1.75, RING_INNER_MM + 1.75

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


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
    view = _random_view(rng, size)
    grey = _background(view, rng)
    _add_friction_ring(grey, view, rng)
    _add_hub(grey, view, rng)
    scene = grey[:, :, None] * _tint(rng)
    mask = np.zeros((size, size), np.bool_)
    if defect is not None:
        _add_defect(scene, mask, view, np.random.default_rng([seed, 1]), defect, area_mm2)
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


# --- the part -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _View:
    """Where disc and light are. Maps are (size, size) float32; lengths in mm from the disc's centre."""

    size: int
    px_per_mm: float
    x: Floats
    y: Floats
    r: Floats
    turn: Floats  # angle around the disc, 0..1
    facing: Floats  # cosine between the direction from the centre and the light: 1 towards it, -1 away
    across: Floats  # the sine of it
    light: tuple[float, float]  # unit vector in the picture plane, towards the light
    light_strength: float

    def outside(self, radius: float, distance: Floats | None = None) -> Floats:
        """Coverage 0..1 of each pixel by what lies farther out than `radius` mm: an anti-aliased edge."""
        from_centre = self.r if distance is None else distance
        return _clip01((from_centre - radius) * self.px_per_mm + 0.5)


def _random_view(rng: np.random.Generator, size: int) -> _View:
    px_per_mm = size / PICTURE_MM
    shift_x, shift_y = rng.uniform(-SHIFT_MM, SHIFT_MM), rng.uniform(-SHIFT_MM, SHIFT_MM)
    scale = 1 + rng.uniform(-SCALE_SPREAD, SCALE_SPREAD)
    axis = (np.arange(size, dtype=np.float32) - (size - 1) / 2) / px_per_mm
    x, y = np.meshgrid((axis - shift_x) / scale, (axis - shift_y) / scale)
    r = np.hypot(x, y)
    turn = np.asarray(cv2.phase(x, y), np.float32) / (2 * np.pi)
    light_angle = rng.uniform(0, 2 * np.pi)
    lx, ly = math.cos(light_angle), math.sin(light_angle)
    per_r = 1 / np.maximum(r, 0.1)
    facing, across = (x * lx + y * ly) * per_r, (x * ly - y * lx) * per_r
    return _View(size, px_per_mm, x, y, r, turn, facing, across, (lx, ly), light_strength=rng.uniform(0.55, 1.0))


def _background(view: _View, rng: np.random.Generator) -> Floats:
    """A dark rubber mat, with the soft shadow that the disc throws away from the light."""
    lx, ly = view.light
    shadow_r = np.hypot(view.x + 1.5 * lx, view.y + 1.5 * ly)
    shadow = _clip01((shadow_r - (DISC_R_MM - 1)) / 4)
    mat = rng.uniform(0.15, 0.19) + 0.018 * _grain(rng, view.size, sigma=0.8)
    return (mat * (0.35 + 0.65 * shadow)).astype(np.float32)


def _add_friction_ring(grey: Floats, view: _View, rng: np.random.Generator) -> None:
    """Turned and ground iron with its two chamfers. Concentric marks reflect a light as a bow tie (Kajiya-Kay)."""
    marks = _tool_marks(view, rng)
    # Each groove is tilted a little differently, which frays the edges of the highlight as on real turned faces.
    tilt = view.across + 1.6 * marks * view.facing
    highlight = np.exp(-rng.uniform(2.2, 4.0) * tilt * tilt) * (1 + 0.22 * view.facing)
    hatch = _cross_hatch(view, rng)
    ring = 0.42 + marks + hatch + 0.36 * view.light_strength * highlight * (1 + 2 * (marks + hatch))
    ring += rng.uniform(-0.02, 0.02) * (view.r - 48) / 10  # a face is never quite flat
    lambert = 0.42 + 0.3 * view.light_strength * view.facing
    _lay(grey, lambert, 1 - view.outside(DISC_R_MM))
    _lay(grey, ring.astype(np.float32), 1 - view.outside(RING_OUTER_MM))
    _lay(grey, 0.62 - lambert * 0.6, 1 - view.outside(RING_INNER_MM))


def _tool_marks(view: _View, rng: np.random.Generator) -> Floats:
    """Concentric grooves: a fine feed of random pitch and phase, plus uneven tracks. About ±0.05 around 0."""
    step_mm = 0.05
    radius = np.arange(0, PICTURE_MM, step_mm)
    feed = np.sin(2 * np.pi * (radius / rng.uniform(0.62, 0.95) + rng.uniform()))
    fine, coarse = (_smooth_line(rng, radius.size, sigma) for sigma in (3.0, 16.0))
    profile = 0.009 * feed + 0.02 * fine + 0.011 * coarse
    return profile.astype(np.float32)[(view.r / step_mm).astype(np.int32)]


def _cross_hatch(view: _View, rng: np.random.Generator) -> Floats:
    """Two crossing families of grinding arcs, faint. About ±0.02 around 0."""
    lines = 4096  # about 0.07 mm apart on the ring: below one pixel
    slope = rng.uniform(0.0022, 0.0042)  # turns per mm of radius: arcs at 35..50 degrees to the tool marks
    hatch = np.zeros_like(view.r)
    for direction in (-slope, slope):
        profile = (rng.uniform(0.004, 0.012) * _smooth_line(rng, lines, 2.5)).astype(np.float32)
        position = (view.turn + direction * view.r) * lines
        hatch += profile[position.astype(np.int32) & (lines - 1)]
    return hatch


def _add_hub(grey: Floats, view: _View, rng: np.random.Generator) -> None:
    """Sand-cast hat inside the ring, a turned seat around the bore, five bolt holes and a pin hole at any rotation."""
    lx, ly = view.light
    sand_px = view.size / 512
    bumps = _grain(rng, view.size, sigma=0.9 * sand_px) + 1.5 * _grain(rng, view.size, sigma=3.5 * sand_px)
    relief = lx * cv2.Sobel(bumps, cv2.CV_32F, 1, 0) + ly * cv2.Sobel(bumps, cv2.CV_32F, 0, 1)
    hat_r = RING_INNER_MM - 1.6
    cast = rng.uniform(0.25, 0.30) + 0.012 * bumps - 0.0065 * relief
    edge = np.exp(-((view.r - (hat_r - 1.2)) ** 2) / 1.1)  # the rounded shoulder
    cast += 0.16 * view.light_strength * view.facing * edge
    _lay(grey, np.full_like(grey, 0.09), 1 - view.outside(hat_r + 0.8))  # undercut between hat and ring
    _lay(grey, cast.astype(np.float32), 1 - view.outside(hat_r))
    highlight = np.exp(-3 * view.across * view.across)
    seat = 0.36 + 0.16 * view.light_strength * highlight + 1.3 * _tool_marks(view, rng)
    _lay(grey, seat.astype(np.float32), 1 - view.outside(BORE_R_MM + 4.5))
    _drill(grey, view, 0, 0, BORE_R_MM)
    rotation = rng.uniform(0, 2 * np.pi)
    for fifths, radius in [(0.5, PIN_R_MM)] + [(hole, BOLT_R_MM) for hole in range(5)]:
        angle = rotation + fifths * 2 * math.pi / 5
        _drill(grey, view, BOLT_CIRCLE_R_MM * math.cos(angle), BOLT_CIRCLE_R_MM * math.sin(angle), radius)


def _drill(grey: Floats, view: _View, x_mm: float, y_mm: float, radius_mm: float) -> None:
    """A through hole with a chamfer: the chamfer is bright on the side away from the light, the wall is seen dark."""
    dx, dy = view.x - x_mm, view.y - y_mm
    rows = np.flatnonzero(np.abs(dy[:, 0]) < radius_mm + 2)
    cols = np.flatnonzero(np.abs(dx[0]) < radius_mm + 2)
    window = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    dx, dy = dx[window], dy[window]
    r = np.hypot(dx, dy)
    facing = (dx * view.light[0] + dy * view.light[1]) / np.maximum(r, 0.1)
    chamfer = 0.38 - 0.3 * view.light_strength * facing
    depth = 0.05 + 0.1 * _clip01(-facing) * _clip01(r / radius_mm - 0.6)
    _lay(grey[window], chamfer, 1 - view.outside(radius_mm + 0.75, r))
    _lay(grey[window], depth, 1 - view.outside(radius_mm, r))


# --- the defect -----------------------------------------------------------------------------------------------------


def _add_defect(scene: Floats, mask: Mask, view: _View, rng: np.random.Generator, defect: str, area_mm2: float) -> None:
    """Paint one defect into `scene` (size, size, 3) and set `mask`.

    A skeleton gives the shape. The pixels nearest to it, as many as the area asks for, are the defect: so the area is
    exact and the picture and its mask agree by construction.
    """
    skeleton = _SKELETONS[defect](rng, area_mm2)
    window, distance = _distance_to(skeleton.lines, view.size, margin_mm=1.5 + 1.3 * math.sqrt(area_mm2))
    waviness = _grain(rng, distance.shape, sigma=skeleton.waves_mm * view.px_per_mm)
    distance += skeleton.roughness_mm * waviness
    distance[~_annulus_mask(view.size)[window]] = np.inf
    n_px = max(1, round(area_mm2 * view.px_per_mm**2))
    nearest = np.unravel_index(np.argpartition(distance, n_px - 1, axis=None)[:n_px], distance.shape)
    mask[window][nearest] = True
    _PAINT[defect](scene[window], distance - distance[nearest].max(), view, rng)


def _annulus_mask(size: int) -> Mask:
    axis = (np.arange(size) - (size - 1) / 2) * PICTURE_MM / size
    r_squared = axis[:, None] ** 2 + axis[None, :] ** 2
    return (r_squared < ANNULUS_OUTER_MM**2) & (r_squared > ANNULUS_INNER_MM**2)


def _distance_to(lines: list[tuple[Floats, float]], size: int, margin_mm: float) -> tuple[tuple[slice, slice], Floats]:
    """Window around the lines, and the distance in mm (h, w) float32 of each of its pixels; drawn 4 times finer."""
    fine, px_per_mm = 4, size / PICTURE_MM
    points = np.concatenate([line for line, _ in lines]) * px_per_mm + (size - 1) / 2
    margin = margin_mm * px_per_mm + 2
    x0, y0 = np.maximum(points.min(0) - margin, 0).astype(int)
    x1, y1 = np.minimum(points.max(0) + margin, size).astype(int)
    canvas = np.full(((y1 - y0) * fine, (x1 - x0) * fine), 255, np.uint8)
    for line, width_mm in lines:
        vertices = (line * px_per_mm + (size - 1) / 2 - (x0, y0)) * fine + (fine - 1) / 2
        thickness = max(1, round(width_mm * px_per_mm * fine))
        cv2.polylines(canvas, [np.rint(vertices).astype(np.int32)], False, 0, thickness)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
    distance = cv2.resize(distance, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_AREA)
    return np.s_[y0:y1, x0:x1], (distance / (fine * px_per_mm)).astype(np.float32)


@dataclass(frozen=True)
class _Skeleton:
    """Polylines (n, 2) in mm from the middle of the picture, each with a width in mm, and how rough the outline is."""

    lines: list[tuple[Floats, float]]
    roughness_mm: float
    waves_mm: float


def _scratch_skeleton(rng: np.random.Generator, area_mm2: float) -> _Skeleton:
    """A long flat arc, 0.35 to 0.6 mm wide."""
    length = min(area_mm2 / rng.uniform(0.35, 0.6), 55.0)
    start_r = rng.uniform(ANNULUS_INNER_MM + 1.5, ANNULUS_OUTER_MM - 1.5)
    slope = rng.choice((-1, 1)) * rng.uniform(0.05, 0.9)
    end_r = float(np.clip(start_r + length * np.sin(slope), ANNULUS_INNER_MM + 1.5, ANNULUS_OUTER_MM - 1.5))
    sweep = np.sqrt(length**2 - (end_r - start_r) ** 2) * 2 / (start_r + end_r)
    t = np.linspace(0, 1, 40)
    bend = rng.uniform(-0.4, 0.4)
    line = _polar(start_r + (end_r - start_r) * (t + bend * t * (1 - t)), rng.uniform(0, 2 * np.pi) + sweep * t)
    return _Skeleton([(line, 0.0), (line[8:30], 0.15)], roughness_mm=0.05, waves_mm=0.7)  # it fades at both ends


def _pore_skeleton(rng: np.random.Generator, area_mm2: float) -> _Skeleton:
    """One gas hole, or a nest of a few when the area is large."""
    count = 1 + int(rng.integers(0, 1 + min(4, int(area_mm2 / 4))))
    radius = math.sqrt(area_mm2 / np.pi / count)
    centre = _place(rng, radius * (1.2 if count == 1 else 3.5))
    spread = radius * 2.4 * np.sqrt(rng.uniform(0.5, 1, count)) * (count > 1)
    around = rng.uniform(0, 2 * np.pi) + np.arange(count) * 2 * np.pi / count
    widths = radius * rng.uniform(0.2, 1.0, count)
    dots = [_dot(centre + _polar(s, a), w) for s, a, w in zip(spread, around, widths, strict=True)]
    return _Skeleton(dots, roughness_mm=0.12 * radius, waves_mm=max(0.35, 0.4 * radius))


def _crack_skeleton(rng: np.random.Generator, area_mm2: float) -> _Skeleton:
    """Roughly radial random walks; where one ends or leaves the ring, the next branches off an earlier point."""
    to_go = area_mm2 / (0.28 + 0.008 * area_mm2)  # a larger crack also gapes wider
    step = 0.5
    angle = rng.uniform(0, 2 * np.pi)
    outwards = rng.choice((0.0, np.pi))
    start = _polar(ANNULUS_INNER_MM + 1.5 if outwards == 0 else ANNULUS_OUTER_MM - 1.5, angle)
    if to_go < 12:
        start = _polar(rng.uniform(ANNULUS_INNER_MM + 4, ANNULUS_OUTER_MM - 4), angle)
    heading, walks = angle + outwards + rng.normal(0, 0.25), []
    while to_go > 0:
        walk = _random_walk(rng, start, heading, step, min(to_go, rng.uniform(4, 14)))
        walks.append(walk)
        to_go -= step * max(len(walk) - 1, 1)
        earlier = walks[rng.integers(len(walks))]
        start = earlier[rng.integers(len(earlier) // 3, len(earlier))]
        heading = angle + outwards + rng.choice((-1, 1)) * rng.uniform(0.35, 1.0)
    lines = [(walk, 0.0) for walk in walks] + [(walk[: len(walk) // 2 + 1], 0.2) for walk in walks]  # pointed tips
    return _Skeleton(lines, roughness_mm=0.045, waves_mm=0.5)


def _random_walk(rng: np.random.Generator, start: Floats, heading: float, step: float, length: float) -> Floats:
    points, drift = [start], heading
    for _ in range(max(2, round(length / step))):
        drift = heading + 0.7 * (drift - heading) + rng.normal(0, 0.45)
        following = points[-1] + step * np.array((np.cos(drift), np.sin(drift)), np.float32)
        if not ANNULUS_INNER_MM + 0.8 < float(np.hypot(*following)) < ANNULUS_OUTER_MM - 0.8:
            break
        points.append(following)
    return np.array(points, np.float32)


def _stain_skeleton(rng: np.random.Generator, area_mm2: float) -> _Skeleton:
    """A few drops that ran together."""
    radius = math.sqrt(area_mm2 / np.pi)
    centre = _place(rng, 1.6 * radius)
    drops = centre + rng.normal(0, 0.4 * radius, (4, 2)).astype(np.float32)
    return _Skeleton([_dot(drop, 0.0) for drop in drops], roughness_mm=0.2 * radius, waves_mm=max(0.4, 0.45 * radius))


def _place(rng: np.random.Generator, margin_mm: float) -> Floats:
    margin_mm = min(margin_mm + 0.5, (ANNULUS_OUTER_MM - ANNULUS_INNER_MM) / 2)
    return _polar(rng.uniform(ANNULUS_INNER_MM + margin_mm, ANNULUS_OUTER_MM - margin_mm), rng.uniform(0, 2 * np.pi))


def _polar(r: float | NDArray[np.float64], angle: float | NDArray[np.float64]) -> Floats:
    """Point (2,) or points (n, 2) in mm."""
    return np.stack((r * np.cos(angle), r * np.sin(angle)), axis=-1).astype(np.float32)


def _dot(point: Floats, width_mm: float) -> tuple[Floats, float]:
    return np.stack((point, point)), width_mm


# Painters change a window (h, w, 3) of the scene. `beyond` (h, w) is the distance in mm from the defect's outline,
# negative inside. The strength is random: some defects are plain, some are only just seen.


def _paint_scratch(scene: Floats, beyond: Floats, view: _View, rng: np.random.Generator) -> None:
    """Bare metal shines in the core; the burr at its side throws a dark edge away from the light."""
    strength = rng.uniform(0.4, 1.0)
    core = _coverage(beyond, view)
    edge = _clip01(_moved_away_from_light(core, view, 0.3) - core)
    scene *= (1 - 0.6 * strength * edge)[:, :, None]
    scene += (0.36 * strength * core)[:, :, None]


def _paint_pore(scene: Floats, beyond: Floats, view: _View, rng: np.random.Generator) -> None:
    """A hole in shadow; its rim catches the light on the far side."""
    hole = _coverage(beyond, view)
    rim = _clip01(_moved_away_from_light(hole, view, 0.35) - hole)
    scene += (rng.uniform(0.15, 0.3) * rim)[:, :, None]
    deeper = _clip01(-beyond / 0.5)
    scene *= (1 - hole * (rng.uniform(0.5, 0.68) + 0.2 * deeper))[:, :, None]


def _paint_crack(scene: Floats, beyond: Floats, view: _View, rng: np.random.Generator) -> None:
    scene *= (1 - rng.uniform(0.5, 0.8) * _coverage(beyond, view))[:, :, None]


def _paint_stain(scene: Floats, beyond: Floats, view: _View, rng: np.random.Generator) -> None:
    """Rust or burnt oil: rust takes more blue than red. The edge is as soft as the stain is deep."""
    soft_mm = max(0.5, 0.9 * float(-beyond.min()))
    t = _clip01(0.5 - beyond / soft_mm)
    clouds = 1 + 0.12 * _grain(rng, beyond.shape, sigma=0.5 * view.px_per_mm)
    absorbs = rng.uniform(0.5, 1.0) * np.array(rng.choice([(0.20, 0.32, 0.46), (0.30, 0.33, 0.38)]))
    scene *= 1 - (t * t * (3 - 2 * t) * clouds)[:, :, None] * absorbs.astype(np.float32)


def _coverage(beyond: Floats, view: _View) -> Floats:
    return _clip01(0.5 - beyond * view.px_per_mm)


def _moved_away_from_light(coverage: Floats, view: _View, distance_mm: float) -> Floats:
    dx, dy = (-distance_mm * view.px_per_mm * part for part in view.light)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(coverage, move, coverage.shape[::-1]), np.float32)


_SKELETONS: dict[str, Callable[[np.random.Generator, float], _Skeleton]] = {
    "scratch": _scratch_skeleton,
    "pore": _pore_skeleton,
    "crack": _crack_skeleton,
    "stain": _stain_skeleton,
}
_PAINT: dict[str, Callable[[Floats, Floats, _View, np.random.Generator], None]] = {
    "scratch": _paint_scratch,
    "pore": _paint_pore,
    "crack": _paint_crack,
    "stain": _paint_stain,
}


# --- the camera -----------------------------------------------------------------------------------------------------


def _photograph(scene: Floats, view: _View, rng: np.random.Generator) -> NDArray[np.uint8]:
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


def _clip01(values: Floats) -> Floats:
    clipped: Floats = np.clip(values, 0, 1)
    return clipped


def _lay(grey: Floats, layer: Floats, coverage: Floats) -> None:
    """Cover `grey` in place with `layer` where `coverage` (0..1) says."""
    grey += (layer - grey) * coverage


def _grain(rng: np.random.Generator, shape: int | tuple[int, ...], sigma: float) -> Floats:
    """Smooth random map, mean 0, standard deviation about 1. A number is the side of a square."""
    rows, cols = (shape, shape) if isinstance(shape, int) else shape
    noise = rng.standard_normal((rows, cols), np.float32)
    # White noise blurred with sigma has the standard deviation 1 / (2 sigma sqrt(pi)).
    return cv2.GaussianBlur(noise, (0, 0), sigma) * max(1.0, 2 * sigma * math.sqrt(np.pi))


def _smooth_line(rng: np.random.Generator, length: int, sigma: float) -> NDArray[np.float64]:
    """Smooth random profile (length,), mean 0, standard deviation 1, whose ends meet."""
    reach = int(4 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    line = np.convolve(np.pad(rng.standard_normal(length), reach, mode="wrap"), kernel, mode="valid")
    profile: NDArray[np.float64] = (line - line.mean()) / line.std()
    return profile
