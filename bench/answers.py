"""How well answers in words and numbers are marked: one table, and a last line of JSON.

    python bench/answers.py [DATA]

DATA is the folder of short-answer sets (default: GRADE_DATA/short-answers, else
../shared/data/short-answers). Everything that is fitted is cross-validated: coursework by submission,
public sets by question. What is absent is said so and is null in the JSON. SciEntsBank's figures in the JSON are with
the language model that GRADE_LANGUAGE_MODEL names, or SmolLM2 where it is installed (the dependency group
language-model), and without one where there is none; either way learnt from SciEntsBank alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Before numpy is imported: one core is what is measured.
# ruff: noqa: E402
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
    os.environ.setdefault(name, "1" if "NUM" in name else "false")

import numpy as np
from coursework import Judged, Set, held_out, judged
from fit_points import CLASSES, FIRST, LIKE, by_question, by_submission, doubting, made_up, real, report
from fit_whole import added, classifier, ridge
from quantity_strings import misses
from short_answers import (
    Array,
    Fit,
    Labels,
    class_features,
    class_likelihoods,
    features,
    labels,
    language_model,
    marks,
)
from short_answers import held_out as held_out_rows
from sources import Row, data_folder, mohler, scientsbank

from grader.text import calibration, likelihood, together, whole
from grader.text.assess import assess
from grader.text.sentences import read_text

COVERAGE = (0.3, 0.5, 0.7, 0.9)
DEALS = 5
"""How often SciEntsBank's questions are dealt into folds; the figures of the first deal are the published."""


def bootstrap(a: Sequence[float], b: Sequence[float], n: int = 1000) -> tuple[float, float]:
    """A 95 % interval of Pearson's r."""
    x, y = np.array(a), np.array(b)
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(x), len(x)) for _ in range(n)]
    low, high = np.percentile([np.corrcoef(x[d], y[d])[0, 1] for d in draws], [2.5, 97.5])
    return float(low), float(high)


def measure_coursework(given: Set) -> dict[str, float]:
    dev = list(made_up(test=False).values())
    out: dict[str, float] = {}
    for name, group in (("question", by_question), ("submission", by_submission)):
        rows = held_out(given, group, dev)
        report(f"coursework, fitted without their {name}", rows)
        if name == "submission":
            mark, gold = [j.mark for j in rows], [j.row.total for j in rows]
            error = np.abs(np.array(mark) - np.array(gold))
            points = np.array([(a, b) for j in rows for a, b in zip(j.points, j.row.points, strict=True)])
            low, high = bootstrap(mark, gold)
            print(f"  95 % interval of r: {low:.3f} to {high:.3f}")
            out = {
                "r": float(np.corrcoef(mark, gold)[0, 1]),
                "mae": float(error.mean()),
                "points_r": float(np.corrcoef(points.T)[0, 1]),
            }
            others = made_up(test=True)
            out |= final(rows, doubting([j for n in LIKE for j in judged(others[n])], FIRST))
            risk("coursework", [_confidence(j) for j in rows], error > 2, "off by more than 2 of 20")
    return out


def measure_written() -> dict[str, float]:
    """Assignments B and C, by the shipped model: what was looked at, and what was not."""
    out: dict[str, float] = {}
    for test, which in ((False, "looked at while the checker was made"), (True, "not looked at")):
        read = {name: judged(given) for name, given in made_up(test=test).items()}
        classes = [read[n] for n in CLASSES if n in read]
        report(
            f"written, the classes of assignment B together, {which}", [j for rows in classes for j in rows]
        )
        for name, rows in read.items():
            report(f"written, {name}, {which}", rows)
            mark = np.array([20 * j.mark / j.row.full for j in rows])
            gold = np.array([20 * j.row.total / j.row.full for j in rows])
            error = np.abs(mark - gold)
            risk(name, [_confidence(j) for j in rows], error > 2, "off by more than 2 of 20")
            if test:
                key = name.replace("-", "_")
                out |= {f"{key}_r": float(np.corrcoef(mark, gold)[0, 1]), f"{key}_mae": float(error.mean())}
    return out


def _confidence(j: Judged) -> float:
    c = calibration.shipped()
    return 0.0 if j.marked.guarded else c.confidence(j.marked.suggested, j.marked.chances)


def final(rows: list[Judged], start: calibration.Calibration) -> dict[str, float]:
    """What may stand without a person, with error model and thresholds from other submissions.

    ``start`` is fitted on other assignments' answers, as a teacher's calibration starts from the shipped one.
    """
    found = calibration.calibrate(
        [j.marked for j in rows], groups=[j.row.submission for j in rows], start=start
    )
    a = found.after
    print(
        f"  final without a person: {a.coverage:.1%} of answers, {a.wrong:.1%} of these off by more than 2 of 20"
    )
    return {"final": a.coverage, "final_wrong": a.wrong}


def risk(name: str, confidence: Sequence[float], wrong: Sequence[bool], what: str) -> None:
    order = np.argsort(-np.array(confidence), kind="stable")
    bad = np.array(wrong)[order]
    cells = [f"{bad[: max(int(c * len(bad)), 1)].mean():.1%} at {c:.0%}" for c in COVERAGE]
    print(f"  {name}, {what}, by coverage: {', '.join(cells)}")


def measure_mohler(home: Path) -> dict[str, float]:
    rows = mohler(home)
    x, y = features(rows), np.array([r.score for r in rows])
    predicted = np.clip(held_out_rows(x, y, [r.group for r in rows], ridge), 0, 5)
    m = marks(predicted, y)
    low, high = bootstrap(predicted, y)
    print(
        f"Mohler, {len(rows)} answers, questions held out: r {m.pearson:.3f} ({low:.3f} to {high:.3f}), RMSE {m.rmse:.3f}"
    )
    error = np.abs(predicted - y)
    size = held_out_rows(x, error, [r.group for r in rows], ridge)
    risk("Mohler", list(-size), list(error > 1), "off by more than 1 of 5")
    return {"pearson": m.pearson, "rmse": m.rmse}


def measure_scientsbank(home: Path) -> dict[str, float]:
    """A class's answers to a question are read together; of the question no score is seen."""
    rows = scientsbank(home)
    x, y, groups = class_features(rows), np.array([r.score for r in rows]), [r.group for r in rows]
    sets: dict[str, tuple[Array, Fit]] = {"": (x, classifier(None))}
    if name := language_model():
        with_model = np.hstack([x, class_likelihoods(rows)])
        sets = {f", with {Path(name).name}": (with_model, classifier(None))} | sets
    if (home / "mohler").is_dir():
        sets |= {", learnt from Mohler too": (x, classifier(added(mohler(home))))}
    first: tuple[Array, Labels] | None = None
    for name, (x, fit) in sets.items():
        deals = [held_out_rows(x, y, groups, fit, seed=seed) for seed in (None, *range(1, DEALS))]
        found = [labels(p, y) for p in deals]
        m = found[0]
        print(
            f"SciEntsBank two-way, {len(rows)} answers, questions held out{name}: "
            f"accuracy {m.accuracy:.3f}, macro F1 {m.macro_f1:.3f}; mean of {DEALS} deals into folds "
            f"{np.mean([d.accuracy for d in found]):.4f}, {np.mean([d.macro_f1 for d in found]):.4f}"
        )
        first = first or (deals[0], m)
    assert first is not None
    p, m = first
    risk("SciEntsBank", list(np.abs(p - 0.5)), list((p >= 0.5) != (y >= 0.5)), "wrong")
    return {"accuracy": m.accuracy, "f1": m.macro_f1}


def speed_together(home: Path) -> float:
    """Short answers a second on one core where a class's answers are read together, without a language model."""
    os.environ.pop(likelihood.CHOICE, None)
    classes: dict[str, list[Row]] = {}
    for r in scientsbank(home):
        classes.setdefault(r.group, []).append(r)
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for rows in classes.values():
            together.correct([r.answer for r in rows], rows[0].reference, rows[0].prompt)
        best = max(best, sum(map(len, classes.values())) / (time.process_time() - start))
    return best


def speed(home: Path | None) -> float:
    """Short answers a second on one core, cleaning and reading included, the vectors loaded."""
    if home is None:
        return float("nan")
    rows = mohler(home)
    model = whole.shipped()
    known = {t: whole.read(t) for r in rows for t in (r.reference, r.prompt)}
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        x = np.array(
            [whole.features(whole.read(r.answer), known[r.reference], known[r.prompt]) for r in rows]
        )
        model.predict(x)
        best = max(best, len(rows) / (time.process_time() - start))
    return best


def speed_points(given: Set) -> float:
    """Whole coursework answers (180 words each) against five points a second."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for r in given.rows:
            q = given.questions[r.question]
            assess(q.points, q.prompt, read_text(r.answer), source=r.answer, best=q.best)
        best = max(best, len(given.rows) / (time.process_time() - start))
    return best


def startup() -> tuple[float, bool]:
    """CPU seconds to import the answer checker in a fresh process, and whether torch came along."""
    code = (
        "import time; t = time.process_time(); import sys, grader.text.assess, grader.text.quantities; "
        "print(time.process_time() - t, 'torch' in sys.modules)"
    )
    # As after installation: the first run may still compile our modules, the others find that done.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=kept)
        for _ in range(5)
    ]
    best = min((r.stdout.split() for r in runs), key=lambda p: float(p[0]))
    return float(best[0]), best[1] == "True"


def main() -> None:
    home: Path | None
    try:
        home = data_folder(sys.argv[1] if len(sys.argv) > 1 else None)
    except SystemExit as e:
        print(e)
        home = None

    def given(folder: str) -> Path | None:
        if home is not None and (home / folder).is_dir():
            return home
        print(f"{folder}: not measured, the data is not there")
        return None

    course: dict[str, float] = {}
    if at := given("cnn-coursework"):
        given_rows = real(at)
        course = measure_coursework(given_rows)
    made = measure_written()
    mo = measure_mohler(at) if (at := given("mohler")) else {}
    sci = measure_scientsbank(at) if (at := given("semeval2013")) else {}
    total, wrong = misses()
    print(
        f"quantities: {total - len(wrong)} of {total} read rightly"
        + "".join(f"\n  missed: {w}" for w in wrong)
    )
    rate = speed(home if mo else None)
    seconds, torch = startup()
    print(f"speed: {rate:.0f} short answers a second of CPU time" if mo else "speed: not measured")
    if sci and home is not None:
        print(f"  {speed_together(home):.0f} a second where a class's answers are read together")
    if course:
        print(
            f"  {speed_points(given_rows):.0f} coursework answers a second against all points of their question"
        )
    print(f"start-up: {seconds:.2f} s of CPU time, torch {'is' if torch else 'is not'} imported")
    print(
        json.dumps(
            {
                "mohler_pearson": _round(mo.get("pearson")),
                "mohler_rmse": _round(mo.get("rmse")),
                "seb2_accuracy": _round(sci.get("accuracy")),
                "seb2_macro_f1": _round(sci.get("f1")),
                "coursework_r": _round(course.get("r")),
                "coursework_mae": _round(course.get("mae")),
                "answers_per_second": round(rate) if mo else None,
                "quantities_right": total - len(wrong),
                "quantities": total,
            }
            | {k: round(v, 3) for k, v in made.items()}
        )
    )


def _round(x: float | None) -> float | None:
    return None if x is None else round(x, 3)


if __name__ == "__main__":
    main()
