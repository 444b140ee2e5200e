"""The small fitted model: what is known of a statement in an answer -> how far it is made.

A logistic function of a few features; its coefficients are in ``model.json`` beside this file,
fitted by ``bench/fit_points.py``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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
def coefficients() -> Array:
    """Of the statement model, in the order of `NAMES`."""
    return np.array([shipped()["statement"][n] for n in NAMES])


def made(f: Features, theta: Array | None = None) -> float:
    """How far a statement is made, 0 to 1."""
    z = float(vector(f) @ (coefficients() if theta is None else theta))
    return float(1 / (1 + np.exp(-np.clip(z, -30, 30))))
