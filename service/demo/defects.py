"""Defects of known size drawn on the friction ring: scratch, pore, crack, stain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.demo.view import (
    ANNULUS_INNER_MM,
    ANNULUS_OUTER_MM,
    PICTURE_MM,
    Floats,
    Mask,
    View,
    annulus_mask,
    clip01,
    grain,
)


def add_defect(scene: Floats, mask: Mask, view: View, rng: np.random.Generator, defect: str, area_mm2: float) -> None:
    """Paint one defect into `scene` (size, size, 3) and set `mask`.

    A skeleton gives the shape. The pixels nearest to it, as many as the area asks for, are the defect: so the area is
    exact and the picture and its mask agree by construction.
    """
    draw, paint = _DEFECTS[defect]
    skeleton = draw(rng, area_mm2)
    window, distance = _distance_to(skeleton.lines, view.size, margin_mm=1.5 + 1.3 * math.sqrt(area_mm2))
    waviness = grain(rng, distance.shape, sigma=skeleton.waves_mm * view.px_per_mm)
    distance += skeleton.roughness_mm * waviness
    distance[~annulus_mask(view.size)[window]] = np.inf
    n_px = max(1, round(area_mm2 * view.px_per_mm**2))
    nearest = np.unravel_index(np.argpartition(distance, n_px - 1, axis=None)[:n_px], distance.shape)
    mask[window][nearest] = True
    paint(scene[window], distance - distance[nearest].max(), view, rng)


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


def _paint_scratch(scene: Floats, beyond: Floats, view: View, rng: np.random.Generator) -> None:
    """Bare metal shines in the core; the burr at its side throws a dark edge away from the light."""
    strength = rng.uniform(0.4, 1.0)
    core = _coverage(beyond, view)
    edge = clip01(_moved_away_from_light(core, view, 0.3) - core)
    scene *= (1 - 0.6 * strength * edge)[:, :, None]
    scene += (0.36 * strength * core)[:, :, None]


def _paint_pore(scene: Floats, beyond: Floats, view: View, rng: np.random.Generator) -> None:
    """A hole in shadow; its rim catches the light on the far side."""
    hole = _coverage(beyond, view)
    rim = clip01(_moved_away_from_light(hole, view, 0.35) - hole)
    scene += (rng.uniform(0.15, 0.3) * rim)[:, :, None]
    deeper = clip01(-beyond / 0.5)
    scene *= (1 - hole * (rng.uniform(0.5, 0.68) + 0.2 * deeper))[:, :, None]


def _paint_crack(scene: Floats, beyond: Floats, view: View, rng: np.random.Generator) -> None:
    scene *= (1 - rng.uniform(0.5, 0.8) * _coverage(beyond, view))[:, :, None]


def _paint_stain(scene: Floats, beyond: Floats, view: View, rng: np.random.Generator) -> None:
    """Rust or burnt oil: rust takes more blue than red. The edge is as soft as the stain is deep."""
    soft_mm = max(0.5, 0.9 * float(-beyond.min()))
    t = clip01(0.5 - beyond / soft_mm)
    clouds = 1 + 0.12 * grain(rng, beyond.shape, sigma=0.5 * view.px_per_mm)
    absorbs = rng.uniform(0.5, 1.0) * np.array(rng.choice([(0.20, 0.32, 0.46), (0.30, 0.33, 0.38)]))
    scene *= 1 - (t * t * (3 - 2 * t) * clouds)[:, :, None] * absorbs.astype(np.float32)


def _coverage(beyond: Floats, view: View) -> Floats:
    return clip01(0.5 - beyond * view.px_per_mm)


def _moved_away_from_light(coverage: Floats, view: View, distance_mm: float) -> Floats:
    dx, dy = (-distance_mm * view.px_per_mm * part for part in view.light)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(coverage, move, coverage.shape[::-1]), np.float32)


_Draw = Callable[[np.random.Generator, float], _Skeleton]
_Paint = Callable[[Floats, Floats, View, np.random.Generator], None]
_DEFECTS: dict[str, tuple[_Draw, _Paint]] = {
    "scratch": (_scratch_skeleton, _paint_scratch),
    "pore": (_pore_skeleton, _paint_pore),
    "crack": (_crack_skeleton, _paint_crack),
    "stain": (_stain_skeleton, _paint_stain),
}
