"""The distribution of a mark whose parts are each made or not, with some probability.

A point's mark is the sum of its parts' weights, capped; the total is the sum of its points. Parts are
taken as independent. Shares lie on a grid of `STEPS` steps from 0 to 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Chances = tuple[tuple[float, tuple[tuple[float, float], ...]], ...]
"""For each point its weight in the total, and its parts' (weight in the point, probability)."""

STEPS = 80


def tempered(p: float, temper: float) -> float:
    """A probability made more (``temper`` above 1) or less extreme: its log odds times ``temper``."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-temper * math.log(p / (1 - p))))


def _add(d: Array, weight: float, p: float, cap: int) -> Array:
    """The distribution after one more part, which moves the share by ``weight`` with probability ``p``."""
    step = min(round(weight * STEPS), STEPS)
    if step == 0 or p <= 0:
        return d
    moved = np.zeros_like(d)
    moved[step:] = d[: len(d) - step]
    out = (1 - p) * d + p * moved
    lost = p * d[len(d) - step :].sum()  # beyond the grid: at the cap
    out[cap] += out[cap + 1 :].sum() + lost
    out[cap + 1 :] = 0.0
    return out


def distribution(chances: Chances, temper: float = 1.0) -> Array:
    """Probability of each share of the total on the grid."""
    total = np.zeros(STEPS + 1)
    total[0] = 1.0
    for weight, parts in chances:
        point = np.zeros(STEPS + 1)
        point[0] = 1.0
        for w, p in parts:
            point = _add(point, w, tempered(p, temper) if 0 < p < 1 else p, STEPS)
        wide = np.zeros(STEPS + 1)
        at = np.round(np.arange(STEPS + 1) * weight).astype(int)
        np.add.at(wide, np.minimum(at, STEPS), point)
        total = np.convolve(total, wide)[: 2 * STEPS + 1]
        total[STEPS] += total[STEPS + 1 :].sum()
        total = total[: STEPS + 1]
    return total


def missing(chances: Chances) -> float:
    """Share of the total that parts which are rather not made would add, 0 to 1."""
    return min(sum(weight * w for weight, parts in chances for w, p in parts if p < 0.5), 1.0)


GRID = np.arange(STEPS + 1) / STEPS
_ERF = np.vectorize(math.erf, otypes=[float])


def within(d: Array, share: float, tolerance: float, floor: float) -> float:
    """Probability that the true share, blurred by ``floor``, is within ``tolerance`` of ``share``."""
    z = floor * math.sqrt(2)
    return float(d @ (0.5 * (_ERF((share + tolerance - GRID) / z) - _ERF((share - tolerance - GRID) / z))))


def density(d: Array, given: float, floor: float) -> float:
    """Likelihood of a teacher's share under the distribution, with a little for the unforeseen."""
    normal = np.exp(-0.5 * ((given - GRID) / floor) ** 2) / (floor * math.sqrt(2 * math.pi))
    return float(d @ normal) * (1 - ODD) + ODD


ODD = 0.01
