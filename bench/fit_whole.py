"""Fit the models for an answer against one reference answer.

    python bench/fit_whole.py [DATA]

grader/text/whole.json: an answer alone, the share of full marks; on Mohler et al. 2011.
grader/text/together.json: among its class, the probability that it is correct; on SciEntsBank and Mohler.
grader/text/together-likelihood.json: the same with a language model, on SciEntsBank alone; where GRADE_LANGUAGE_MODEL names
one, or SmolLM2 is installed.

Only coefficients are written. Prints figures for questions that were held out.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Before numpy is imported: these are small matrices, on which threads only get in each other's way.
# ruff: noqa: E402
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from scipy.optimize import minimize
from short_answers import (
    Array,
    Fit,
    class_features,
    class_likelihoods,
    features,
    held_out,
    labels,
    language_model,
    marks,
)
from sources import Row, data_folder, mohler, scientsbank

from grader.text import together, whole

RIDGE = 1000.0
PENALTIES = (500.0, 1000.0)
"""Of the logistic model; the coefficients under each are averaged, which is steadier than choosing one."""
FULL = 4.5
"""A mark of Mohler's, of 5, from which on an answer counts as correct."""
SHARE = 0.5
"""What an answer of the added set weighs against one of SciEntsBank."""
APART = 5.0
"""The added set's own intercept, as a feature of this size: hardly penalised."""


def _standard(x: Array) -> tuple[Array, Array, Array, Array, Array]:
    mean, scale = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0) + 1e-9
    z = whole.expand((x[:, 1:] - mean) / scale)
    mean2, scale2 = z.mean(axis=0), z.std(axis=0) + 1e-9
    return mean, scale, mean2, scale2, (z - mean2) / scale2


def ridge(x: Array, y: Array, _: Sequence[str] = ()) -> whole.Model:
    """Least squares with an L2 penalty, in closed form."""
    mean, scale, mean2, scale2, z = _standard(x)
    centre = float(y.mean())
    w = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - centre))
    return whole.Model(mean, scale, mean2, scale2, w, centre)


@dataclass(frozen=True)
class Added:
    """Answers to other questions, of another set, to learn from besides."""

    x: Array
    y: Array


def added(rows: Sequence[Row]) -> Added:
    """Mohler's answers, as correct or not."""
    return Added(class_features(rows), np.array([float(r.score >= FULL) for r in rows]))


def _balance(y: Array) -> Array:
    """Weights that bring the classes half way to equal, for macro F1."""
    share = y.mean()
    return np.where(y > 0.5, np.sqrt(0.5 / share), np.sqrt(0.5 / (1 - share)))


def logistic(x: Array, y: Array, more: Added | None, penalty: float) -> together.Model:
    """Logistic regression with an L2 penalty. Features are standardised as they lie in ``x``."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9

    def standard(v: Array) -> Array:
        return np.clip((v - mean) / scale, -together.LIMIT, together.LIMIT)

    z, weight, said = standard(x), _balance(y), y
    if more is not None:
        z = np.vstack([np.c_[z, np.zeros(len(z))], np.c_[standard(more.x), np.full(len(more.x), APART)]])
        weight, said = np.append(weight, SHARE * _balance(more.y)), np.append(y, more.y)

    def loss(p: Array) -> tuple[float, Array]:
        a = z @ p[:-1] + p[-1]
        value = float((weight * (np.logaddexp(0, a) - said * a)).sum()) + 0.5 * penalty * float(
            p[:-1] @ p[:-1]
        )
        g = weight * (1 / (1 + np.exp(-np.clip(a, -30, 30))) - said)
        return value, np.append(z.T @ g + penalty * p[:-1], g.sum())

    best = minimize(loss, np.zeros(z.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return together.Model(mean, scale, best[: x.shape[1]], float(best[-1]))


def classifier(more: Added | None) -> Fit:
    """Fits under each of `PENALTIES` and takes the mean of the coefficients."""

    def fit(x: Array, y: Array, _: Sequence[str]) -> together.Model:
        found = [logistic(x, y, more, penalty) for penalty in PENALTIES]
        weights = np.mean([m.weights for m in found], axis=0)
        intercept = float(np.mean([m.intercept for m in found]))
        return together.Model(found[0].mean, found[0].scale, weights, intercept)

    return fit


def _plain(m: whole.Model | together.Model, *names: str) -> dict[str, object]:
    rows = {k: [round(float(v), 5) for v in getattr(m, k)] for k in names}
    return {**rows, "intercept": m.intercept}


def _write(name: str, names: Sequence[str], model: dict[str, object]) -> None:
    record = {"about": "fitted by bench/fit_whole.py on public sets", "features": list(names), **model}
    Path(whole.__file__).with_name(name).write_text(json.dumps(record) + "\n", "utf-8")


def main() -> None:
    home = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    rows, sci = mohler(home), scientsbank(home)
    x, y = features(rows), np.array([r.score for r in rows])
    print("mohler", marks(np.clip(held_out(x, y, [r.group for r in rows], ridge), 0, 5), y))
    cx, cy, groups = class_features(sci), np.array([r.score for r in sci]), [r.group for r in sci]
    fit = classifier(added(rows))
    print("scientsbank", labels(held_out(cx, cy, groups, fit), cy))
    one, many = ridge(x, y / 5), fit(cx, cy, groups)
    assert isinstance(many, together.Model)
    _write("whole.json", whole.NAMES, _plain(one, "mean", "scale", "mean2", "scale2", "weights"))
    _write("together.json", together.NAMES, _plain(many, "mean", "scale", "weights"))
    if language_model():
        cx, fit = np.hstack([cx, class_likelihoods(sci)]), classifier(None)
        print("scientsbank, with a language model", labels(held_out(cx, cy, groups, fit), cy))
        named = fit(cx, cy, groups)
        assert isinstance(named, together.Model)
        names = (*together.NAMES, *together.LIKELIHOOD)
        _write("together-likelihood.json", names, _plain(named, "mean", "scale", "weights"))


if __name__ == "__main__":
    main()
