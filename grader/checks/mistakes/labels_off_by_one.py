"""Labels start at 1 where the loss counts from 0, or predictions are one class beside the truth."""

from __future__ import annotations

import re

from grader.checks.base import Case
from grader.checks.mistakes.base import Mistake, Words, at_line
from grader.checks.mistakes.observed import line_about, trained_models
from grader.checks.ran import nothing_ran

WORDS = Words(
    name="labels_off_by_one",
    title="Labels are off by one",
    why="Classes are counted from 0: a label shifted by one belongs to the next class, or to none.",
    hint="Print the least and the greatest label, and compare them with the number of outputs.",
    needs="model",
)
_OUTSIDE = (
    re.compile(r"Target (\d+) is out of bounds"),
    re.compile(r"label value of (\d+) which is outside the valid range of \[0, (\d+)\)"),
)


def find(case: Case) -> list[Mistake]:
    """An error that names a label equal to the number of outputs, or predictions on held-out images that fit the
    labels far better when all are moved by one class."""
    return _error(case) or _shifted(case)


def _error(case: Case) -> list[Mistake]:
    if nothing_ran(case):
        return []
    for run in case.runs:
        if run.failure is None:
            continue
        for pattern in _OUTSIDE:
            m = pattern.search(run.failure.message)
            if m is None:
                continue
            outputs = int(m[2]) if pattern.groups > 1 else _outputs(case)
            moved = line_about(case, r"\b(?:y\w*|labels?|targets?)\b\s*\+=?\s*1\b")
            if outputs != int(m[1]) or (moved is None and pattern.groups == 1 and outputs is None):
                continue
            line = run.failure.line
            return [
                WORDS.seen(
                    f"A label {m[1]} was given to a loss over {outputs} outputs, whose labels are 0 to {outputs - 1}.",
                    at_line(case.pieces[run.piece], line) if line else None,
                    moved,
                    label=int(m[1]),
                    outputs=outputs,
                )
            ]
    return []


def _outputs(case: Case) -> int | None:
    """Outputs of the models that the answer's cells called, where all agree."""
    found = case.model
    shape = found[1].output_shape if found and found[1] else ()
    return shape[-1] if shape else None


def _shifted(case: Case) -> list[Mistake]:
    for _, m in trained_models(case):
        for p in m.predictions:
            truth = (case.labels or {}).get(p.held_out)
            if not truth or len(truth) != len(p.classes) or p.outputs < 3:
                continue
            for by, words in ((1, "above"), (-1, "below")):
                moved = sum(a == b + by for a, b in zip(p.classes, truth, strict=True)) / len(truth)
                right = sum(a == b for a, b in zip(p.classes, truth, strict=True)) / len(truth)
                if moved > 0.5 and moved > 5 * right:
                    return [
                        WORDS.seen(
                            f"Most predictions on unseen images are exactly one class {words} the right one.",
                            line_about(case, r"[+-]=?\s*1\b"),
                            data=p.dataset,
                        )
                    ]
    return []


KIND = WORDS.kind(find)
