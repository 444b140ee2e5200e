"""``training_time``: the clock outside the kernel, as a ratio to the reference's; never absolute seconds."""

from __future__ import annotations

import re
from typing import Any

from pydantic import field_validator

from grader.checks.base import Case, Check, Criterion, Quote, Verdict, earned, lost, review, ungraded
from grader.checks.models import snapshots
from grader.checks.ran import absent, nothing_ran
from grader.checks.reports import agree_time
from grader.checks.stated import best, literals, stated, typed
from grader.evidence.model import Record, RunState

_BOUND = re.compile(r"\s*(\d+(?:\.\d+)?)\s*x\s*reference\s*")

SPREAD = 1.5
"""Two single runs on a busy machine may differ by this factor, where the reference has not been calibrated."""

LEAST_SPREAD = 1.15
"""A calibration on a quiet machine says too little of a busy one to go below this factor."""

FLOOR = 1.0
"""Seconds: shorter times are counted as this, since start-up then dominates."""


class TrainingTime(Criterion):
    """``at_most``: "5 x reference". Without it: a training time is stated and true."""

    at_most: str | None = None

    @field_validator("at_most")
    @classmethod
    def _bound(cls, value: str | None) -> str | None:
        if value is not None and not _BOUND.fullmatch(value):
            raise ValueError("at_most is written like '5 x reference'")
        return value

    @property
    def factor(self) -> float | None:
        m = _BOUND.fullmatch(self.at_most or "")
        return float(m[1]) if m else None

    @property
    def compares(self) -> bool:
        return self.at_most is not None

    def title(self) -> str:
        if self.says:
            return self.says
        if self.factor is None:
            return "the stated training time is true"
        return f"training takes at most {self.factor:g} times the reference's"


def training_seconds(case: Case) -> tuple[float, bool] | None:
    """Seconds of the pieces that trained a model, and whether our limit ended one; None if none did."""
    pieces = {s.piece for s in snapshots(case) if s.trained}
    runs = [r for r in case.runs if r.piece in pieces]
    return (sum(r.seconds for r in runs), any(r.state is RunState.LIMIT for r in runs)) if runs else None


def training_samples(case: Case) -> int | None:
    """Training inputs that the models of those pieces saw, counted again in each epoch; None if not known.

    The number is the kernel's own word, as are the moved weights: there is no clock outside for it.
    """
    pieces = {r.piece for r in case.runs}
    counts = [s.samples for s in snapshots(case) if s.trained and s.piece in pieces]
    return sum(counts) if counts and all(counts) else None


class Ratio(Record):
    """A student's training time beside the reference's; ``spread`` is the factor that either end may be off."""

    value: float
    spread: float
    per_sample: bool

    @property
    def low(self) -> float:
        return self.value / self.spread


def ratio_of(case: Case, seconds: float, reference: float) -> Ratio:
    """Per training sample where both counts are known, else of the whole times.

    Ten epochs are so not punished against five. The spread is that of the reference over its seeds on this
    worker where it has been calibrated (`Spread.factor`, at least `LEAST_SPREAD`), else `SPREAD`.
    """
    assert case.reference is not None
    mine, theirs = training_samples(case), training_samples(case.reference)
    value, per_sample = max(seconds, FLOOR) / max(reference, FLOOR), bool(mine and theirs)
    if mine and theirs:
        value *= theirs / mine
    known = (case.spread.per_sample if per_sample else case.spread.seconds) if case.spread else None
    factor = known.factor() if known is not None else None
    return Ratio(
        value=value,
        spread=SPREAD if factor is None else min(max(factor, LEAST_SPREAD), SPREAD),
        per_sample=per_sample,
    )


def judge(c: TrainingTime, case: Case) -> Verdict:
    """The ratio's lower end against the bound; a ratio that may or may not exceed it goes to a person."""
    if nothing_ran(case):
        return absent(c, case, "training that could be clocked")
    mine = training_seconds(case)
    if mine is None:
        return absent(c, case, "training")
    seconds, cut = mine
    if c.factor is None:
        return _stated(c, case)
    if case.reference is None or (yardstick := training_seconds(case.reference)) is None:
        return ungraded(
            c, "The reference's training time is not known.", evidence={"seconds": round(seconds, 2)}
        )
    assert case.execution is not None and case.reference.execution is not None
    ours, theirs = case.reference.execution, case.execution
    if (ours.environment.device, ours.profile) != (theirs.environment.device, theirs.profile) or yardstick[1]:
        return ungraded(c, "The reference was not timed under the same conditions.")
    ratio = ratio_of(case, seconds, yardstick[0])
    low, high = ratio.low, ratio.value * ratio.spread
    figures: dict[str, Any] = {
        "seconds": round(seconds, 2),
        "reference": round(yardstick[0], 2),
        "ratio": round(ratio.value, 2),
        "interval": [round(low, 2), round(high, 2)],
        "per_sample": ratio.per_sample,
    }
    each = " for each training image" if ratio.per_sample else ""
    words = (
        f"Training took {ratio.value:.1f} times as long{each} as the reference's on the same worker "
        f"({low:.1f} to {high:.1f} with the spread of such times)"
    )
    if cut:
        return ungraded(c, f"{words} when our limit ended it.", evidence=figures)
    if low <= c.factor:
        return earned(c, f"{words}.", evidence=figures)
    said = f"{words}, more than {c.factor:g} times."
    if ratio.value / SPREAD**2 <= c.factor:
        return review(c, c.marks / 2, f"{said} That is within what a busy machine may do.", evidence=figures)
    return lost(c, said, evidence=figures)


def _stated(c: TrainingTime, case: Case) -> Verdict:
    figures = [f for f in stated(case, "training time") if f.fresh]
    figure = best(figures)
    if figure is None:
        return absent(c, case, "training time printed")
    more: dict[str, Any] = {
        "evidence": {"stated": figure.value},
        "quotes": (Quote(text=figure.line, piece=figure.piece, about="output"),),
    }
    said = f"Training time is stated as {figure.value:,.1f} s"
    if typed(figure, literals(case)):
        private = f"{figure.digits} stands as a literal in the code of the answer: typed, not computed."
        return review(c, 0.0, f"{said}; a person looks at how it was obtained.", private=private, **more)
    return agree_time(c, case, figure, said, more)


CHECK = Check(kind="training_time", criterion=TrainingTime, judge=judge)
