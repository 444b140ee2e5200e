"""The small fitted model: what is known of a statement in an answer -> how far it is made.

A logistic function of a few features; its coefficients are in ``model.json`` beside this file,
fitted by ``bench/fit_points.py``.
"""

from __future__ import annotations

import hashlib
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.text import embed
from grader.text.match import Features

Array = npt.NDArray[np.float64]

NAMES = (
    "constant",
    "sentence",
    "square",
    "window",
    "whole",
    "exact",
    "cosine",
    "bigrams",
    "size",
    "size x sentence",
)


def vector(f: Features) -> Array:
    """The features of one statement, in the order of `NAMES`."""
    size = float(np.log(f.size))
    best = max(f.sentence, f.window)
    return np.array(
        [1, f.sentence, f.sentence**2, best, f.whole, f.exact, f.cosine, f.bigrams, size, size * f.sentence]
    )


@lru_cache(maxsize=1)
def shipped() -> dict[str, Any]:
    out: dict[str, Any] = json.loads(Path(__file__).with_name("model.json").read_text("utf-8"))
    return out


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Of the coefficients, the record of their error and the word vectors chosen: marks were confirmed under these."""
    here = Path(__file__).parent
    read = [(here / n).read_text("utf-8") for n in ("model.json", "calibration.json")]
    return hashlib.sha256("\n".join([*read, embed.chosen()]).encode()).hexdigest()


@lru_cache(maxsize=1)
def coefficients() -> Array:
    """Of the statement model, in the order of `NAMES`."""
    return np.array([shipped()["statement"][n] for n in NAMES])


SHARP = 0.15
"""Probabilities this near to 0 or 1 are taken for it: a marker gives a statement or does not."""


def chance(f: Features, theta: Array | None = None) -> float:
    """Probability that a marker would take the statement for made."""
    z = float(vector(f) @ (coefficients() if theta is None else theta))
    return 1 / (1 + math.exp(-min(max(z, -30.0), 30.0)))


def sharpened(p: Array) -> Array:
    """How far statements of these probabilities count as made, 0 to 1."""
    return np.clip((p - SHARP) / (1 - 2 * SHARP), 0.0, 1.0)


def made(p: float) -> float:
    """`sharpened` for one."""
    return min(max((p - SHARP) / (1 - 2 * SHARP), 0.0), 1.0)
