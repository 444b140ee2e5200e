"""Sampling error of an accuracy."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959964


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Interval for a proportion of ``right`` in ``n`` (Wilson 1927, J. Am. Stat. Assoc. 22, 209–212).

    Unlike the normal interval it stays within 0 and 1 and holds for accuracies near either.
    """
    if n <= 0:
        return 0.0, 1.0
    p = right / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def differ(p: float, n: int, q: float, m: int, z: float = 3.0) -> bool:
    """Whether two proportions, of ``n`` and of ``m``, are further apart than ``z`` standard errors.

    Pooled two-proportion test with Yates' continuity correction, which also keeps 0 and 1 honest.
    """
    if n <= 0 or m <= 0:
        return False
    pooled = (p * n + q * m) / (n + m)
    error = sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / m))
    return abs(p - q) - 0.5 * (1 / n + 1 / m) > z * error
