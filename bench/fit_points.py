"""Fit the statement model and the default calibration -> grader/text/model.json and calibration.json.

    python bench/fit_points.py [DATA]

Only coefficients are written; no answer's text leaves the data folder. Prints what the fit does to
answers of submissions, and of questions, that it has not seen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from coursework import fit, held_out, items, questions
from sources import coursework, data_folder

from grader.text import calibration, model

ROOT = Path(__file__).resolve().parents[1]
FIRST = calibration.Calibration(about="start", answers=0, floor=0.04)
"""The error model before any fit."""


def main() -> None:
    rows = coursework(data_folder(sys.argv[1] if len(sys.argv) > 1 else None))
    rubric = questions(ROOT / "rubrics" / "cnn-architecture.yaml")
    theta = fit(items(rows, rubric))
    home = Path(model.__file__).parent
    record = {
        "about": f"coefficients of the statement model, fitted by bench/fit_points.py on {len(rows)} answers",
        "statement": {n: round(float(v), 4) for n, v in zip(model.NAMES, theta, strict=True)},
    }
    old = json.loads((home / "model.json").read_text("utf-8"))
    (home / "model.json").write_text(json.dumps(old | record, indent=1) + "\n", "utf-8")

    for name, group in (("submission", lambda r: r.submission), ("question", lambda r: r.question)):
        judged = held_out(rows, rubric, group)
        mark = np.array([j.mark for j in judged])
        gold = np.array([j.row.total for j in judged])
        r, mae = np.corrcoef(mark, gold)[0, 1], np.abs(mark - gold).mean()
        print(f"by {name}: totals r {r:.3f}, mean absolute error {mae:.2f} of 20")
        if name == "submission":
            report = calibration.calibrate(
                [j.marked for j in judged],
                groups=[j.row.submission for j in judged],
                start=FIRST,
                about="84 real coursework answers to assignment A, cross-validated by submission",
            )
            c = report.calibration.model_copy(update={"shift": 0.0, "shortest": 8, "longest": 3000})
            calibration.save(c, home / "calibration.json")
            print(report.model_dump_json(indent=1))


if __name__ == "__main__":
    main()
