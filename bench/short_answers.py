"""Answers against a single reference answer: models over `grader.text.whole` (an answer alone) and
`grader.text.together` (a class's answers to one question), cross-validated by question.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sources import Row

from grader.text import likelihood, together, whole

Array = npt.NDArray[np.float64]


def features(rows: Sequence[Row]) -> Array:
    """Of each answer, against the reference that it is nearest to."""
    read: dict[str, whole.Text] = {}

    def once(text: str) -> whole.Text:
        if text not in read:
            read[text] = whole.read(text)
        return read[text]

    out = []
    for r in rows:
        answer = whole.read(r.answer)
        found = [
            whole.features(answer, once(ref), once(r.prompt)) for ref in (r.references or (r.reference,))
        ]
        out.append(max(found, key=lambda f: f[2]))
    return np.array(out)


def _by_question(rows: Sequence[Row], width: int, of: Callable[[Sequence[Row]], Array]) -> Array:
    """A row of ``width`` columns for each answer, from all answers to its question."""
    out = np.zeros((len(rows), width))
    groups = np.array([r.group for r in rows])
    for name in np.unique(groups):
        at = np.flatnonzero(groups == name)
        out[at] = of([rows[i] for i in at])
    return out


def class_features(rows: Sequence[Row]) -> Array:
    """Of each answer among all answers to its question; no score is read."""

    def of(mine: Sequence[Row]) -> Array:
        answers = [whole.read(r.answer) for r in mine]
        return together.features(answers, whole.read(mine[0].reference), whole.read(mine[0].prompt))

    return _by_question(rows, len(together.NAMES), of)


def language_model() -> str:
    """The model that GRADE_LANGUAGE_MODEL names, else SmolLM2 where it is installed, else none: the empty string."""
    name = likelihood.chosen() or (likelihood.SMOLLM2 if likelihood.carried() else "")
    if name:
        os.environ[likelihood.CHOICE] = name
    return name


def class_likelihoods(rows: Sequence[Row]) -> Array:
    """`together.LIKELIHOOD` of each answer, by `language_model`, on all cores; ten minutes or more for 5,000."""
    import torch

    read, started, threads = 0, time.monotonic(), torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)

    def of(mine: Sequence[Row]) -> Array:
        nonlocal read
        answers = [r.answer for r in mine]
        found = likelihood.reference_after(answers, mine[0].reference, mine[0].prompt)
        read += len(mine)
        left = (time.monotonic() - started) / read * (len(rows) - read) / 60
        print(
            f"  language model: {read} of {len(rows)} answers read, {left:.0f} min left",
            end="\r",
            file=sys.stderr,
        )
        return together.likelihoods(found)

    out = _by_question(rows, len(together.LIKELIHOOD), of)
    torch.set_num_threads(threads)
    print(file=sys.stderr)
    return out


def folds(groups: Sequence[str], n: int = 10, seed: int | None = None) -> list[npt.NDArray[np.bool_]]:
    """Masks of ``n`` test folds; a question is in one fold only. Large questions are dealt out first, or,
    with a ``seed``, in random order."""
    names, counts = np.unique(np.array(groups), return_counts=True)
    load = np.zeros(n)
    fold: dict[str, int] = {}
    order = np.argsort(-counts, kind="stable")
    for i in order if seed is None else np.random.default_rng(seed).permutation(order):
        at = int(load.argmin())
        fold[str(names[i])] = at
        load[at] += counts[i]
    where = np.array([fold[g] for g in groups])
    return [where == k for k in range(n)]


class Predictor(Protocol):
    def predict(self, x: Array) -> Array: ...


Fit = Callable[[Array, Array, Sequence[str]], Predictor]
"""From features, scores and the names of the questions to a fitted model."""


def held_out(
    x: Array, y: Array, groups: Sequence[str], fit: Fit, n: int = 10, seed: int | None = None
) -> Array:
    """Predictions for every row by a model fitted on other questions."""
    out = np.zeros(len(y))
    names = np.array(groups)
    for test in folds(groups, n, seed):
        out[test] = fit(x[~test], y[~test], list(names[~test])).predict(x[test])
    return out


@dataclass(frozen=True)
class Marks:
    """How well predicted marks agree with teachers' (0 to 5)."""

    pearson: float
    rmse: float


def marks(predicted: Array, given: Array) -> Marks:
    return Marks(
        float(np.corrcoef(predicted, given)[0, 1]), float(np.sqrt(((predicted - given) ** 2).mean()))
    )


@dataclass(frozen=True)
class Labels:
    accuracy: float
    macro_f1: float


def labels(predicted: Array, given: Array, threshold: float = 0.5) -> Labels:
    """Accuracy and macro F1 of a two-way decision."""
    said, truth = predicted >= threshold, given >= 0.5
    f1 = []
    for a, b in ((said, truth), (~said, ~truth)):
        f1.append(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))
    return Labels(float((said == truth).mean()), float(np.mean(f1)))
