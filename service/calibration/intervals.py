"""The beta distribution, from which exact intervals of a share and Student's t follow, without a package of 70 MB."""

from __future__ import annotations

import math

_TINY = 1e-300


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), for 0 <= x <= 1 and a, b > 0; exact to about 1e-14."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, by halving: 60 halvings leave nothing of float64."""
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def student_quantile(p: float, degrees: float) -> float:
    """Student's t with these degrees of freedom stays below this with probability p; 0 < p < 1."""
    tail = 2 * min(p, 1 - p)
    x = beta_quantile(tail, degrees / 2, 0.5)  # = degrees / (degrees + t²)
    t = math.sqrt(degrees * (1 - x) / x)
    return t if p >= 0.5 else -t


def _fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of I_x(a, b), by Lentz's method (Press et al., Numerical Recipes, 3rd edition, 6.4)."""
    c, d = 1.0, _away_from_zero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    found = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return found


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
