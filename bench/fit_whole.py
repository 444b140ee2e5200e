"""Fit the models for an answer against one reference answer -> grader/text/whole.json.

    python bench/fit_whole.py [DATA]

Only coefficients are written. Prints figures for questions that were held out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from short_answers import Array, features, held_out, labels, marks
from sources import data_folder, mohler, scientsbank

from grader.text import whole
from grader.text.whole import Model

RIDGE, LOGISTIC_RIDGE = 1000.0, 1000.0


def _standard(x: Array) -> tuple[Array, Array, Array, Array, Array]:
    mean, scale = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0) + 1e-9
    z = whole.expand((x[:, 1:] - mean) / scale)
    mean2, scale2 = z.mean(axis=0), z.std(axis=0) + 1e-9
    return mean, scale, mean2, scale2, (z - mean2) / scale2


def ridge(x: Array, y: Array) -> Model:
    """Least squares with an L2 penalty, in closed form."""
    mean, scale, mean2, scale2, z = _standard(x)
    centre = float(y.mean())
    w = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - centre))
    return Model(mean, scale, mean2, scale2, w, centre)


def logistic(x: Array, y: Array) -> Model:
    """Logistic regression with an L2 penalty; classes weighed half way to equal, for macro F1."""
    mean, scale, mean2, scale2, z = _standard(x)
    share = y.mean()
    weight = np.where(y > 0.5, np.sqrt(0.5 / share), np.sqrt(0.5 / (1 - share)))

    def loss(p: Array) -> tuple[float, Array]:
        a = z @ p[:-1] + p[-1]
        q = 1 / (1 + np.exp(-np.clip(a, -30, 30)))
        value = -(weight * (y * np.log(q + 1e-12) + (1 - y) * np.log(1 - q + 1e-12))).sum()
        g = weight * (q - y)
        penalty = LOGISTIC_RIDGE * 0.5 * float(p[:-1] @ p[:-1])
        return float(value + penalty), np.append(z.T @ g + LOGISTIC_RIDGE * p[:-1], g.sum())

    best = minimize(loss, np.zeros(z.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return Model(mean, scale, mean2, scale2, best[:-1], float(best[-1]), logistic=True)


def _plain(m: Model) -> dict[str, object]:
    rows = {
        k: [round(float(v), 5) for v in getattr(m, k)]
        for k in ("mean", "scale", "mean2", "scale2", "weights")
    }
    return {**rows, "intercept": m.intercept, "logistic": m.logistic}


def main() -> None:
    home = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    rows = mohler(home)
    x, y = features(rows), np.array([r.score for r in rows])
    print("mohler", marks(np.clip(held_out(x, y, [r.group for r in rows], ridge), 0, 5), y))
    sci = scientsbank(home)
    sx, sy = features(sci), np.array([r.score for r in sci])
    print("scientsbank", labels(held_out(sx, sy, [r.group for r in sci], logistic), sy))
    record = {
        "about": "an answer against one reference answer; fitted by bench/fit_whole.py on public sets",
        "features": list(whole.NAMES),
        "models": {"mark": _plain(ridge(x, y / 5)), "correct": _plain(logistic(sx, sy))},
    }
    Path(whole.__file__).with_name("whole.json").write_text(json.dumps(record) + "\n", "utf-8")


if __name__ == "__main__":
    main()
