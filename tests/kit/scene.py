"""A machined plate as a camera sees it wherever it lies: drawn from formulas, so that shifts and turns are exact.

Sharp edges of holes, a corner and engraved bars, evaluated at each pixel's place on the plate; nothing is interpolated.
"""

from __future__ import annotations

import numpy as np

WIDTH, HEIGHT = 640, 480
HOLE, CORNER, BAR = (140.0, 170.0), (500.0, 310.0), (330.0, 120.0)
MIDDLE = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])


def motion(dx: float, dy: float, angle_deg: float) -> np.ndarray:
    """Float64 (2, 3): the plate turned clockwise about the picture's middle, then shifted; plate to picture."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, MIDDLE - turn @ MIDDLE + np.array([dx, dy])])


def plate(
    dx: float = 0, dy: float = 0, angle_deg: float = 0, *, light: float = 1.0, noise: float = 0.0, seed: int = 0,
    without: tuple[str, ...] = (), twin_hole: bool = False, size: tuple[int, int] = (WIDTH, HEIGHT),
) -> np.ndarray:  # fmt: skip
    """RGB uint8 (h, w, 3)."""
    matrix = motion(dx, dy, angle_deg)
    picture_x, picture_y = np.meshgrid(np.arange(size[0]) - matrix[0, 2], np.arange(size[1]) - matrix[1, 2])
    x = matrix[0, 0] * picture_x + matrix[1, 0] * picture_y  # the inverse of a turn is its transpose
    y = matrix[0, 1] * picture_x + matrix[1, 1] * picture_y
    grey = np.full(x.shape, 150.0)
    if "hole" not in without:
        grey -= 100 * _covered(np.hypot(x - HOLE[0], y - HOLE[1]), 22)
        grey += 60 * _covered(np.hypot(x - HOLE[0] - 35, y - HOLE[1] + 20), 6)
    if twin_hole:
        grey -= 100 * _covered(np.hypot(x - HOLE[0], y - HOLE[1] - 80), 22)
        grey += 60 * _covered(np.hypot(x - HOLE[0] - 35, y - HOLE[1] - 60), 6)
    if "corner" not in without:
        grey -= 80 * _beyond(x - CORNER[0]) * _beyond(y - CORNER[1])
        grey += 70 * _covered(np.hypot(x - CORNER[0] + 20, y - CORNER[1] + 16), 8)
    grey -= 60 * _covered(np.abs(x - BAR[0]), 40) * _covered(np.abs(y - BAR[1]), 3)
    grey = grey * light + np.random.default_rng(seed).normal(0, noise, grey.shape) if noise else grey * light
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _covered(distance: np.ndarray, radius: float) -> np.ndarray:
    """How much of a pixel lies inside the radius, 0 to 1, by a lens of about a pixel."""
    return _beyond(radius - distance)


def _beyond(distance: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(distance / 0.8)
