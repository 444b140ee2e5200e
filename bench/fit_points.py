"""Fit the statement model and the default calibration -> grader/text/model.json and calibration.json.

    python bench/fit_points.py [DATA]

The statement model on real coursework answers to assignment A and the development half of the written answers to
assignments B and C (``bench/written``); the model of the error on the other half, which the rubrics were not mended
with: on answers that they were, marks are nearer than they will be on a stranger's. Only coefficients are written; no
answer's text leaves the data folder. Prints what the fit does to the answers that nobody looked at; `bench/answers.py`
prints what it does to assignment A's, left out of the fit by submission and by question.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from coursework import Array, Judged, Set, fit, judged, questions
from scipy.optimize import minimize
from sources import Coursework, coursework, data_folder, written

from grader.text import calibration, model, spread

FIRST = calibration.Calibration(about="start", answers=0, floor=0.04, temper=1.25)
"""The error model before any fit. The temper made held-out answers' marks likeliest, of 0.6 to 3."""
EXTREME = 0.5
"""Weight of the personas in a fit: no class has so many unlike ones."""
ALLOWED = 0.1
"""Share of answers that the shipped record may let stand and be off. It only proposes what to confirm: at the 3 % that a
teacher's own marks are held to, answers by strangers leave hardly any that stand out from the unsure ones."""
CAUTION = 1.0
"""Pull of the doubt's weights towards none."""
CLASSES = ("look-alikes", "second-class", "third-class", "fourth-class")
"""The written sets that are like a class on assignment B."""
LIKE = ("look-alikes", "third-class", "deep-vision")
"""From what was not looked at of these the error model is fitted; the fourth class stays for measuring alone."""


def real(home: Path) -> Set:
    """The coursework answers to assignment A."""
    return Set(tuple(coursework(home)), questions("cnn-architecture"))


def made_up(*, test: bool) -> dict[str, Set]:
    """The written answers to assignments B and C that were not looked at, or the others, by the name of their set."""
    b, c = questions("image-classification-cnn"), questions("homl-14-deep-vision")
    sets = (
        ("look-alikes", b, 1.0),
        ("second-class", b, 1.0),
        ("third-class", b, 1.0),
        ("fourth-class", b, 1.0),
        ("personas", b, EXTREME),
        ("deep-vision", c, 1.0),
    )
    read = {name: Set(tuple(written(name, test=test)), rubric, weight) for name, rubric, weight in sets}
    return {name: given for name, given in read.items() if given.rows}


def doubting(rows: Sequence[Judged], start: calibration.Calibration) -> calibration.Calibration:
    """The record with `calibration.Doubt` fitted on these answers: a logistic function of two things."""
    mine = [j.marked for j in rows]
    c = calibration.calibrate(mine, groups=[j.row.submission for j in rows], start=start).calibration
    likely = np.array([c.likely(m.suggested, m.chances) for m in mine])
    p = np.clip(likely, calibration.SURE, 1 - calibration.SURE)
    missing = [spread.missing(m.chances) for m in mine]
    x = np.column_stack([np.ones(len(mine)), np.log(p / (1 - p)), missing])
    right = np.array([abs(m.suggested - m.given) <= c.tolerance + 1e-9 for m in mine])
    first = np.array([0.0, 1.0, 0.0])

    def loss(w: Array) -> float:
        z = x @ w
        return float((np.logaddexp(0, z) - right * z).sum() + 0.5 * CAUTION * ((w - first) ** 2).sum())

    found = [round(float(v), 3) for v in minimize(loss, first).x]
    named = dict(zip(("constant", "spread", "missing"), found, strict=True))
    return c.model_copy(update={"doubt": calibration.Doubt(**named)})


def by_submission(row: Coursework) -> str:
    return row.submission


def by_question(row: Coursework) -> str:
    return row.question


def report(name: str, rows: list[Judged]) -> None:
    mark = np.array([20 * j.mark / j.row.full for j in rows])
    gold = np.array([20 * j.row.total / j.row.full for j in rows])
    points = np.array([(a, b) for j in rows for a, b in zip(j.points, j.row.points, strict=True)])
    error = mark - gold
    print(
        f"{name}: {len(rows)} answers, totals r {np.corrcoef(mark, gold)[0, 1]:.3f}, mean absolute error "
        f"{np.abs(error).mean():.2f} of 20 (bias {error.mean():+.2f}), {np.mean(np.abs(error) > 2):.0%} off by more "
        f"than 2; points r {np.corrcoef(points.T)[0, 1]:.3f}"
    )


def main() -> None:
    a, dev = real(data_folder(sys.argv[1] if len(sys.argv) > 1 else None)), made_up(test=False)
    theta = fit([a, *dev.values()])
    home = Path(model.__file__).parent
    n = len(a.rows) + sum(len(s.rows) for s in dev.values())
    record = {
        "about": f"coefficients of the statement model, fitted by bench/fit_points.py on {n} answers",
        "statement": {k: round(float(v), 4) for k, v in zip(model.NAMES, theta, strict=True)},
    }
    (home / "model.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")

    unseen = {name: judged(given, theta) for name, given in made_up(test=True).items()}
    for name, rows in unseen.items():
        report(f"{name}, the half that nothing was fitted on", rows)
    like = [j for name in LIKE for j in unseen[name]]
    found = calibration.calibrate(
        [j.marked for j in like],
        groups=[j.row.submission for j in like],
        start=doubting(like, FIRST),
        allowed=ALLOWED,
        about=f"{len(like)} written answers to assignments B and C, which neither rubrics nor model had seen",
    )
    c = found.calibration.model_copy(update={"shift": 0.0, "shortest": 8, "longest": 3000})
    calibration.save(c, home / "calibration.json")
    print(found.model_dump_json(indent=1))


if __name__ == "__main__":
    main()
