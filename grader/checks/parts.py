"""Accuracies of measured models, and what their answers give away besides: guesses, images learned by heart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grader.checks.base import Case, Table
from grader.checks.models import measured
from grader.checks.statistics import differ, wilson
from grader.evidence.model import ModelSnapshot, Prediction
from grader.record import Record

SURE = 4.0
"""Standard errors apart before it is said that a model knows the test images: once in 30,000 honest ones."""
ONE_ANSWER = 0.95
MOST_CLASSES = 12
"""A larger table of confusions is not read by anybody."""


class Measured(Record):
    """An accuracy with its 95 % Wilson interval."""

    right: int
    of: int
    low: float
    high: float
    prediction: Prediction
    model: ModelSnapshot

    @property
    def value(self) -> float:
        return self.right / self.of


def rates(case: Case, data: str | None = None) -> list[Measured]:
    """Accuracies of the answer's measured models on every part for which there are labels."""
    found = []
    for s, m in measured(case):
        for p in m.predictions:
            labels = (case.labels or {}).get(p.held_out)
            if (data is None or p.dataset == data) and labels and len(labels) == len(p.classes):
                right = sum(a == b for a, b in zip(p.classes, labels, strict=True))
                low, high = wilson(right, len(labels))
                found.append(Measured(right=right, of=len(labels), low=low, high=high, prediction=p, model=s))
    return found


def held_out(case: Case, data: str | None = None) -> list[Measured]:
    """Those on held-out images, of trained models if there are any."""
    found = [f for f in rates(case, data) if f.prediction.part == "held-out"]
    return [f for f in found if f.model.trained] or found


class Parts(Record):
    """One model's accuracy on held-out images, and on test and training images that the notebook has."""

    held_out: Measured
    test: Measured | None = None
    train: Measured | None = None

    @property
    def knows_tests(self) -> bool:
        """Whether it is right on the notebook's test images far more often than on images it never had."""
        t, h = self.test, self.held_out
        return t is not None and t.value > h.value and differ(t.value, t.of, h.value, h.of, SURE)

    def leak_words(self) -> str:
        if not self.knows_tests or self.test is None:
            return ""
        return (
            f"On test images that the notebook has it is right for {self.test.value:.1%}, on images that it "
            f"never had for {self.held_out.value:.1%}: it has learned from the test images."
        )


def parts(case: Case, best: Measured) -> Parts:
    """The other parts that the same program was asked on, prepared in the same way."""
    same = [
        r
        for r in rates(case, best.prediction.dataset)
        if r.model.program == best.model.program
        and r.prediction.preprocessing == best.prediction.preprocessing
    ]
    by_part = {r.prediction.part: r for r in same}
    return Parts(held_out=best, test=by_part.get("test"), train=by_part.get("train"))


def chance(best: Measured) -> float:
    """What guessing reaches; one output is a choice of two."""
    return 1 / max(best.prediction.outputs, 2)


def remarks(best: Measured) -> str:
    """That the answers are all one and the same, or no better than guesses; else nothing."""
    answer, n = Counter(best.prediction.classes).most_common(1)[0]
    if n >= ONE_ANSWER * best.of and best.value < ONE_ANSWER / 2:
        of = "every image" if n == best.of else f"{n:,} of them"
        same = ", and its output is the same whatever the image" if best.prediction.constant else ""
        return f"It answers class {answer} for {of}{same}."
    if best.low <= chance(best):
        return f"That is no better than guessing ({chance(best):.0%})."
    return ""


def part_table(p: Parts) -> Table | None:
    """Accuracy on each part; None where only held-out images were asked."""
    named = (
        ("held out", p.held_out),
        ("test, of the notebook", p.test),
        ("training, of the notebook", p.train),
    )
    rows = tuple((name, f"{m.right:,}", f"{m.of:,}", f"{m.value:.1%}") for name, m in named if m is not None)
    if len(rows) < 2:
        return None
    marked = tuple(i for i, (name, *_) in enumerate(rows) if p.knows_tests and name.startswith("test"))
    return Table(title="Accuracy by part of the data", header=("images", "right", "of", "accuracy"), rows=rows,
                 marked=marked)  # fmt: skip


def confusion_table(classes: Sequence[int], labels: Sequence[int]) -> Table | None:
    """Rows are the right classes, columns the answers; None for more classes than a table can show."""
    known = sorted({*classes, *labels})
    if len(known) > MOST_CLASSES:
        return None
    counts = Counter(zip(labels, classes, strict=True))
    rows = tuple(
        (str(true), *(str(counts[true, answered] or "") for answered in known))
        for true in sorted(set(labels))
    )
    return Table(title="Right class (rows) and answer (columns)", header=("", *map(str, known)), rows=rows)
