"""The small fitted model: features of a point in an answer -> share of its marks, and how sure.

Coefficients are in ``model.json`` beside this file, fitted by ``bench/fit_points.py``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from grader.text.match import Features

Array = npt.NDArray[np.float64]

NAMES = ("sentence", "window", "whole", "exact", "cosine", "bigrams", "polarity", "facts", "needs", "length")


def vector(
    main: Features,
    parts: list[Features],
    enough: int | None,
    facts: list[bool],
    needs: int,
    missing: int,
    length: int,
) -> Array:
    """The features of one point, in the order of `NAMES`."""
    own = np.array([main.sentence, main.window, main.whole, main.exact, main.cosine, main.bigrams])
    if parts:
        rows = np.array([[f.sentence, f.window, f.whole, f.exact, f.cosine, f.bigrams] for f in parts])
        order = np.argsort(-rows[:, 0])[: enough or len(parts)]
        own = rows[order].mean(axis=0)
    share = sum(facts) / len(facts) if facts else -1.0
    met = 1 - missing / needs if needs else 1.0
    return np.array([*own, float(main.polarity), share, met, np.log1p(length)])


def share(x: Array) -> float:
    """Estimated share of a point's marks, 0 to 1."""
    sentence, window, whole, _, cosine, _, _, facts, met, _ = x
    score = 0.5 * max(sentence, 0.95 * window) + 0.25 * whole + 0.25 * min(1.0, cosine * 1.2)
    out = float(np.clip((score - 0.28) / 0.37, 0, 1))
    if facts >= 0:
        out = 0.5 * out + 0.5 * facts
    return float(out * (0.3 + 0.7 * met))


def confidence(x: Array, estimate: float) -> float:
    """Probability that the share is right to within a quarter of the point."""
    return float(0.55 + 1.6 * (estimate - 0.5) ** 2)
