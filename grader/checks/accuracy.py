"""``accuracy``: on held-out data that the student never had, from the clean process's predictions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator, model_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, lost, partial, review, ungraded
from grader.checks.models import measured, snapshots, unmeasured
from grader.checks.parts import Measured, chance, confusion_table, held_out, part_table, parts, remarks
from grader.evidence.calibration import Spread
from grader.evidence.model import Prediction, Profile, Record

_WITHIN = re.compile(r"\s*(\d+(?:\.\d+)?)\s+sigma\s+of\s+reference\s*")
LEAST_RUNS = 3
"""Fewer runs of the reference have no deviation worth the name."""


class Step(Record):
    at: float = Field(gt=0, le=1, description="a lower bar")
    share: float = Field(gt=0, lt=1, description="share of the marks that it earns")


class Accuracy(Criterion):
    """Bars between 0 and 1 on the held-out part of ``data``; ``smoke`` is the only bar of that profile.

    ``within``, "3 sigma of reference", sets the bar for all marks in any profile: the reference's mean less so
    many deviations over its seeds, under the same profile on the same worker.
    """

    data: str
    full: float | None = Field(None, gt=0, le=1)
    within: str | None = None
    half: float | None = Field(None, gt=0, le=1)
    steps: tuple[Step, ...] = ()
    smoke: float | None = Field(None, gt=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Accuracy:
        if (self.full is None) == (self.within is None):
            raise ValueError("one of full and within is needed")
        if self.within is not None and (self.half or self.steps or self.smoke):
            raise ValueError("with within there are no half, steps and smoke")
        if self.full is not None and any(at >= self.full for at, _ in self.bars()[1:]):
            raise ValueError("half and steps must be below full")
        return self

    @field_validator("within")
    @classmethod
    def _sigmas(cls, value: str | None) -> str | None:
        if value is not None and not _WITHIN.fullmatch(value):
            raise ValueError("within is written like '3 sigma of reference'")
        return value

    @property
    def calibrates(self) -> bool:
        return self.within is not None

    def bars(self) -> list[tuple[float, float]]:
        """(bar, share) from the highest."""
        lower = [(s.at, s.share) for s in self.steps] + ([(self.half, 0.5)] if self.half else [])
        top = [(self.full, 1.0)] if self.full is not None else []
        return [*top, *sorted(lower, reverse=True)]

    def bar_of(self, spread: Spread) -> float:
        """The reference's mean less the deviations that ``within`` allows."""
        found = _WITHIN.fullmatch(self.within or "")
        return max(0.0, spread.mean - float(found[1]) * spread.deviation) if found else 0.0

    def title(self) -> str:
        return self.says or f"accuracy on {self.data}"


def stand_ins(case: Case, data: str) -> tuple[str, ...]:
    """What made the answer's model that was not real: its substitutes, and ``data`` itself."""
    if case.execution is None:
        return ()
    last = max(case.answer.pieces, default=-1)
    mine = [d for d in case.execution.datasets if d.stand_in and d.dataset == data and d.piece <= last]
    other = [f"{d.dataset} (generated)" for d in mine]
    return tuple(dict.fromkeys((*case.stand_ins, *other)))


def judge(c: Accuracy, case: Case) -> Verdict:
    """The highest bar that the interval's upper end reaches; docs/checks.md says what is not judged."""
    seen = measured(case)
    if not seen:
        return unmeasured(c, case)
    if fake := stand_ins(case, c.data):
        reason = f"Accuracy is not judged on a stand-in: {'; '.join(fake)}."
        return ungraded(c, reason, evidence={"stand_ins": list(fake)})
    found = held_out(case, c.data)
    if not found:
        return _no_prediction(c, case)
    best = max(found, key=lambda f: f.value)
    figures: dict[str, Any] = {
        "accuracy": round(best.value, 4),
        "right": best.right,
        "of": best.of,
        "interval": [round(best.low, 4), round(best.high, 4)],
        "data": c.data,
        "profile": case.profile.value,
        "preprocessing": [dict(s) for s in best.prediction.preprocessing.steps],
    }
    words = (
        f"Accuracy on {best.of:,} held-out images of {c.data}: {best.value:.1%} "
        f"(95 % interval {best.low:.1%} to {best.high:.1%}), profile {case.profile.value}."
    )
    around = parts(case, best)
    for name, part in (("on_test", around.test), ("on_training", around.train)):
        if part is not None:
            figures[name] = round(part.value, 4)
    labels = (case.labels or {})[best.prediction.held_out]
    tables = (part_table(around), confusion_table(best.prediction.classes, labels))
    more: dict[str, Any] = {"evidence": figures, "tables": tuple(t for t in tables if t is not None)}
    words = " ".join(filter(None, (words, remarks(best), around.leak_words())))
    same = {f.prediction.held_out for f in found if f.model is best.model}
    if len([f for f in found if f.model is best.model]) > len(same):
        words += " Its preprocessing could be read in more than one way; this is the one that fits best."
        if len({_share(c, case, f) for f in found if f.model is best.model}) > 1:
            suggestion = c.marks * (_share(c, case, best) or 0.0)
            return review(c, suggestion, words, **more)
    if not best.model.trained and any(s.trained for s in snapshots(case)):
        return review(c, 0.0, f"{words} An untrained model: the trained one was not measured.", **more)
    if not best.model.trained:
        words += " The model was not seen to be trained."
    if c.within is not None:
        return _beside_reference(c, case, best, words, more)
    share = _share(c, case, best)
    if case.profile is Profile.FULL:
        return partial(c, share, words, **more) if share else lost(c, words, **more)
    if share:
        return earned(c, words, **more)
    suggestion = c.marks / 2 if best.low > 2 * chance(best) else 0.0
    said = f"{words} Below what little data usually gives; the full profile decides."
    return review(c, suggestion, said, **more)


def _beside_reference(c: Accuracy, case: Case, best: Measured, words: str, more: dict[str, Any]) -> Verdict:
    """Earned where the interval's upper end reaches the reference's mean less the allowed deviations.

    In ``smoke`` who is below goes to a person: with little data a fair network may train less than ours.
    """
    spread = _spread(c, case)
    if spread is None:
        return ungraded(c, f"{words} The reference has not been calibrated on this worker.", **more)
    bar = c.bar_of(spread)
    more["evidence"] |= {
        "reference": round(spread.mean, 4),
        "deviation": round(spread.deviation, 4),
        "runs": spread.n,
        "bar": round(bar, 4),
    }
    words += (
        f" The reference reaches {spread.mean:.1%} (deviation {spread.deviation:.1%} over {spread.n} seeds) on"
        f" the same worker; the bar is {bar:.1%}."
    )
    if best.high >= bar:
        return earned(c, words, **more)
    if case.profile is Profile.FULL:
        return lost(c, words, **more)
    return review(c, c.marks / 2 if best.low > 2 * chance(best) else 0.0, words, **more)


def _spread(c: Accuracy, case: Case) -> Spread | None:
    found = case.spread.accuracy.get(c.data) if case.spread is not None else None
    return found if found is not None and found.n >= LEAST_RUNS else None


def _share(c: Accuracy, case: Case, m: Measured) -> float | None:
    if c.within is not None:
        spread = _spread(c, case)
        return 1.0 if spread is not None and m.high >= c.bar_of(spread) else None
    if case.profile is Profile.SMOKE:
        bar = c.smoke if c.smoke is not None else c.full
        return 1.0 if bar is not None and m.high >= bar else None
    return next((share for at, share in c.bars() if m.high >= at), None)


def _no_prediction(c: Accuracy, case: Case) -> Verdict:
    assert case.execution is not None
    predictions: Sequence[Prediction] = [
        p for _, m in measured(case) for p in m.predictions if p.dataset == c.data
    ]
    if predictions:
        return ungraded(
            c, f"The labels of the held-out {c.data} are not there, or not as many as the predictions."
        )
    if why := next((m.reason for _, m in measured(case) if m.reason and not m.predictions), ""):
        words = "The measured model could not predict on the held-out images."
        return review(c, 0.0, words, private=why)
    mine = set(case.answer.pieces)
    used = [d for d in case.execution.datasets if d.piece in mine]
    unknown = [
        s
        for d in used
        if d.preprocessing and not d.preprocessing.known
        for s in d.preprocessing.unknown_steps
    ]
    if unknown:
        words = f"The preprocessing has steps that could not be read: {', '.join(dict.fromkeys(unknown))}."
        return review(c, 0.0, f"{words} So nothing could be predicted.")
    others = {d.dataset for d in used} - {c.data}
    if others and not any(d.dataset == c.data for d in case.execution.datasets):
        return review(c, 0.0, f"The answer uses {', '.join(sorted(others))}, not {c.data}.")
    return review(
        c, 0.0, f"How the model's inputs are made from {c.data} is not known, so nothing was predicted."
    )


CHECK = Check(kind="accuracy", criterion=Accuracy, judge=judge)
