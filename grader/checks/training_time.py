"""``training_time``: the clock outside the kernel, as a ratio to the reference's; never absolute seconds."""

from __future__ import annotations

import re
from typing import Any

from pydantic import field_validator

from grader.checks.base import Case, Check, Criterion, Quote, State, Verdict, earned, lost, review, ungraded
from grader.checks.clock import FLOOR, Clock, clock_of, doubt
from grader.checks.ran import absent, nothing_ran
from grader.checks.reports import agree_time
from grader.checks.stated import best, literals, stated, typed
from grader.record import Record

_BOUND = re.compile(r"\s*(\d+(?:\.\d+)?)\s*x\s*reference\s*")

SPREAD = 1.5
"""Two single runs may differ by this factor, where the reference has not been calibrated."""

LEAST_SPREAD = 1.15
"""Few runs of the reference say too little of a shared cache and memory to go below this factor."""

UNCORRECTED = 3.0
"""Two clocks that no account corrects: one may be of an idle hour, the other of a busy one."""


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


class Ratio(Record):
    """A student's training time beside the reference's; ``spread`` is the factor that either end may be off."""

    value: float
    spread: float
    per_sample: bool

    @property
    def low(self) -> float:
        return self.value / self.spread

    @property
    def high(self) -> float:
        return self.value * self.spread

    def words(self) -> str:
        each = " for each training image" if self.per_sample else ""
        return (
            f"Training took {self.value:.1f} times as long{each} as the reference's on the same worker "
            f"({self.low:.1f} to {self.high:.1f} with the spread of such times)"
        )

    def figures(self) -> dict[str, Any]:
        return {
            "ratio": round(self.value, 2),
            "interval": [round(self.low, 2), round(self.high, 2)],
            "per_sample": self.per_sample,
        }


def ratios(case: Case, mine: Clock) -> tuple[Ratio, ...]:
    """To the reference under the same conditions: for each training image where both counts are known, and whole.

    Both times are without what the cells waited for a processor, so that a reference of another day will
    do. The spread is that of the reference over its seeds where this worker is calibrated, at least
    `LEAST_SPREAD`, else `SPREAD`. Where the system keeps no account of the waiting, the clocks themselves are
    compared, and the spread is `UNCORRECTED`. Empty where there is no reference to compare with.
    """
    known = case.spread
    if known is not None and known.profile is case.profile and mine.alone is not None:
        pairs = ((mine.per_sample(), known.alone_per_sample), (mine.alone, known.alone))
        found = [
            Ratio(value=a / b.mean, spread=max(b.factor() or SPREAD, LEAST_SPREAD), per_sample=n == 0)
            for n, (a, b) in enumerate(pairs)
            if a is not None and b is not None
        ]
        if found:
            return tuple(found)
    reference = clock_of(case.reference) if case.reference is not None and _alike(case) else None
    if reference is None or reference.cut:
        return ()
    if mine.alone is not None and reference.alone is not None:
        whole, spread = mine.alone / reference.alone, SPREAD
    else:
        whole, spread = max(mine.seconds, FLOOR) / max(reference.seconds, FLOOR), UNCORRECTED
    found = [Ratio(value=whole, spread=spread, per_sample=False)]
    if mine.samples and reference.samples:
        value = whole * reference.samples / mine.samples
        found.insert(0, Ratio(value=value, spread=spread, per_sample=True))
    return tuple(found)


def _alike(case: Case) -> bool:
    """Whether the reference ran under the same profile, on the same device."""
    mine, theirs = case.execution, case.reference.execution if case.reference is not None else None
    return (
        mine is not None
        and theirs is not None
        and (mine.environment.device, mine.profile) == (theirs.environment.device, theirs.profile)
    )


def judge(c: TrainingTime, case: Case) -> Verdict:
    """The ratio's lower end against the bound; a ratio that may or may not exceed it goes to a person."""
    if nothing_ran(case):
        return absent(c, case, "training that could be clocked")
    mine = clock_of(case)
    if mine is None:
        return absent(c, case, "training")
    if c.factor is None:
        return _stated(c, case, mine)
    figures: dict[str, Any] = {"seconds": round(mine.seconds, 2)}
    found = ratios(case, mine)
    if not found:
        why = "is not known" if case.reference is None else "was not taken under the same conditions"
        return ungraded(c, f"The reference's training time {why}.", evidence=figures)
    ratio, whole = found[0], found[-1]
    figures |= ratio.figures()
    if mine.cut:
        return ungraded(c, f"{ratio.words()} when our limit ended it.", evidence=figures)
    counts = ratio.per_sample and _ends(c.factor, ratio) is not _ends(c.factor, whole)
    if counts and mine.samples and (unsure := doubt(case, mine.samples)):
        figures["whole_ratio"] = round(whole.value, 2)
        said = f"{ratio.words()}; {whole.value:.1f} times as long in all. {unsure}"
        return review(c, c.marks / 2, said, evidence=figures)
    end = _ends(c.factor, ratio)
    if end is State.EARNED:
        return earned(c, f"{ratio.words()}.", evidence=figures)
    said = f"{ratio.words()}, more than {c.factor:g} times."
    if end is State.REVIEW:
        return review(c, c.marks / 2, f"{said} That is within what a busy machine may do.", evidence=figures)
    return lost(c, said, evidence=figures)


def _ends(bound: float, ratio: Ratio) -> State:
    """Earned if the lower end is within the bound; lost only if twice the spread does not bring it there."""
    if ratio.low <= bound:
        return State.EARNED
    return State.REVIEW if ratio.low / ratio.spread <= bound else State.LOST


def _beside(case: Case, mine: Clock) -> tuple[str, dict[str, Any]]:
    """The ratio in words and figures, where there is a reference to compare with; it costs nothing here."""
    found = ratios(case, mine)
    return (f" {found[0].words()}.", found[0].figures()) if found and not mine.cut else ("", {})


def _stated(c: TrainingTime, case: Case, mine: Clock) -> Verdict:
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
    verdict = agree_time(c, case, figure, said, more)
    words, ratio = _beside(case, mine)
    evidence = {**verdict.evidence, **ratio}
    return verdict.model_copy(update={"reason": verdict.reason + words, "evidence": evidence})


CHECK = Check(kind="training_time", criterion=TrainingTime, judge=judge)
