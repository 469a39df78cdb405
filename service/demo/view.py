"""Where a drawn disc lies under the camera, and what part, defect and camera are drawn with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
class View:
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
        return clip01((from_centre - radius) * self.px_per_mm + 0.5)


def random_view(rng: np.random.Generator, size: int) -> View:
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
    return View(size, px_per_mm, x, y, r, turn, facing, across, (lx, ly), light_strength=rng.uniform(0.55, 1.0))


def annulus_mask(size: int) -> Mask:
    axis = (np.arange(size) - (size - 1) / 2) * PICTURE_MM / size
    r_squared = axis[:, None] ** 2 + axis[None, :] ** 2
    return (r_squared < ANNULUS_OUTER_MM**2) & (r_squared > ANNULUS_INNER_MM**2)


def clip01(values: Floats) -> Floats:
    clipped: Floats = np.clip(values, 0, 1)
    return clipped


def lay(grey: Floats, layer: Floats, coverage: Floats) -> None:
    """Cover `grey` in place with `layer` where `coverage` (0..1) says."""
    grey += (layer - grey) * coverage


def grain(rng: np.random.Generator, shape: int | tuple[int, ...], sigma: float) -> Floats:
    """Smooth random map, mean 0, standard deviation about 1. A number is the side of a square."""
    rows, cols = (shape, shape) if isinstance(shape, int) else shape
    noise = rng.standard_normal((rows, cols), np.float32)
    # White noise blurred with sigma has the standard deviation 1 / (2 sigma sqrt(pi)).
    return cv2.GaussianBlur(noise, (0, 0), sigma) * max(1.0, 2 * sigma * math.sqrt(np.pi))


def smooth_line(rng: np.random.Generator, length: int, sigma: float) -> NDArray[np.float64]:
    """Smooth random profile (length,), mean 0, standard deviation 1, whose ends meet."""
    reach = int(4 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    line = np.convolve(np.pad(rng.standard_normal(length), reach, mode="wrap"), kernel, mode="valid")
    profile: NDArray[np.float64] = (line - line.mean()) / line.std()
    return profile
