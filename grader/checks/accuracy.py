"""``accuracy``: on held-out data that the student never had, from the clean process's predictions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, lost, partial, review, ungraded
from grader.checks.clock import clock_of
from grader.checks.models import distance, measured, snapshots, unmeasured
from grader.checks.parts import Measured, chance, confusion_table, held_out, part_table, parts, remarks
from grader.checks.ran import absent
from grader.evidence.calibration import Spread
from grader.evidence.model import Prediction, Profile
from grader.record import Record

_WITHIN = re.compile(r"\s*(\d+(?:\.\d+)?)\s+sigma\s+of\s+reference\s*")
LEAST_RUNS = 3
"""Fewer runs of the reference have no deviation worth the name."""
HALF = "half of reference"
"""The bar half way from guessing to what the reference reaches under the same profile."""
AMPLE = 0.5
"""Training that moves the weights this share of the reference's distance was not too little of it."""


class Step(Record):
    at: float = Field(gt=0, le=1, description="a lower bar")
    share: float = Field(gt=0, lt=1, description="share of the marks that it earns")


class Accuracy(Criterion):
    """Bars between 0 and 1 on the held-out part of ``data``; ``smoke`` is the only bar of that profile.

    ``smoke`` may also be "half of reference": half way from guessing to the reference's mean.

    ``within``, "3 sigma of reference", sets the bar for all marks in any profile: the reference's mean less so
    many deviations over its seeds, under the same profile on the same worker.
    """

    data: str
    full: float | None = Field(None, gt=0, le=1)
    within: str | None = None
    half: float | None = Field(None, gt=0, le=1)
    steps: tuple[Step, ...] = ()
    smoke: float | Literal["half of reference"] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Accuracy:
        if (self.full is None) == (self.within is None):
            raise ValueError("one of full and within is needed")
        if self.within is not None and (self.half or self.steps or self.smoke):
            raise ValueError("with within there are no half, steps and smoke")
        if isinstance(self.smoke, float) and not 0 < self.smoke <= 1:
            raise ValueError("smoke is between 0 and 1, or 'half of reference'")
        if self.full is not None and any(at >= self.full for at, _ in self.bars()[1:]):
            raise ValueError("half and steps must be below full")
        return self

    @field_validator("within")
    @classmethod
    def _sigmas(cls, value: str | None) -> str | None:
        if value is not None and not _WITHIN.fullmatch(value):
            raise ValueError("within is written like '3 sigma of reference'")
        return value

    def calibrates(self, profile: Profile) -> bool:
        return self.within is not None or (self.smoke == HALF and profile is Profile.SMOKE)

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
    spread = _spread(c, case)
    if spread is None and c.calibrates(case.profile):
        return ungraded(c, f"{words} The reference has not been calibrated on this worker.", **more)
    if spread is not None and c.calibrates(case.profile) and not _measures(c, best, spread):
        said = (
            f"{words} The reference itself reaches no more than {spread.mean:.1%} here: it is no yardstick."
        )
        return ungraded(c, said, **more)
    if spread is not None:
        words += f" {_reference_words(c, case, best, spread, figures)}"
    share = _share(c, case, best)
    if share == 1.0:
        return earned(c, words, **more)
    if (clock := clock_of(case)) is not None and clock.cut:
        return ungraded(c, f"{words} Our limit ended its training.", **more)
    if not best.model.trained and not share:
        why = absent(c, case, "trained model")
        return why.model_copy(update={"reason": f"{words} {why.reason}", **more})
    if case.profile is Profile.FULL:
        return partial(c, share, words, **more) if share else lost(c, words, **more)
    return _below_in_smoke(c, case, best, words, more)


def _reference_words(c: Accuracy, case: Case, best: Measured, spread: Spread, figures: dict[str, Any]) -> str:
    """What the reference reaches, noted among the figures as well; and the bar, where it sets it."""
    figures |= {
        "reference": round(spread.mean, 4),
        "deviation": round(spread.deviation, 4),
        "runs": spread.n,
    }
    words = (
        f"The reference reaches {spread.mean:.1%} (deviation {spread.deviation:.1%} over {spread.n} seeds) on"
        f" the same worker"
    )
    if not c.calibrates(case.profile):
        return f"{words}."
    bar = _bar(c, best, spread)
    figures["bar"] = round(bar, 4)
    return f"{words}; the bar is {bar:.1%}."


def _bar(c: Accuracy, best: Measured, spread: Spread) -> float:
    """The bar that the reference sets: so many deviations below it, or half way to it from guessing."""
    return c.bar_of(spread) if c.within is not None else _half_way(best, spread)


def _measures(c: Accuracy, best: Measured, spread: Spread) -> bool:
    """Whether the reference has learned enough to hold others against: half of the way to ``full``, or twice
    what guessing gives where there is no such bar."""
    least = (chance(best) + c.full) / 2 if c.full is not None else 2 * chance(best)
    return spread.mean >= least


def _half_way(best: Measured, spread: Spread) -> float:
    return (chance(best) + spread.mean) / 2


def _below_in_smoke(c: Accuracy, case: Case, best: Measured, words: str, more: dict[str, Any]) -> Verdict:
    """With little data a fair network may learn less than ours, or nothing yet: that is for a person.

    Lost only where more data would not have helped: its output does not depend on the image, or it guesses
    although training moved its weights at least `AMPLE` of the reference's distance.
    """
    if best.prediction.constant:
        return lost(c, f"{words} More data would not change that.", **more)
    mine, known = distance(case), case.spread.distance if case.spread is not None else None
    if best.low <= chance(best) and known is not None and mine is not None:
        more["evidence"] |= {"distance": round(mine, 3), "reference_distance": round(known.mean, 3)}
        if mine >= AMPLE * known.mean:
            said = (
                f"{words} That is not for want of training: its weights moved by {mine:.2f} of their size, the "
                f"reference's by {known.mean:.2f}."
            )
            return lost(c, said, **more)
    suggestion = c.marks / 2 if best.low > 2 * chance(best) else 0.0
    said = f"{words} Below what little data usually gives; the full profile decides."
    return review(c, suggestion, said, **more)


def _spread(c: Accuracy, case: Case) -> Spread | None:
    found = case.spread.accuracy.get(c.data) if case.spread is not None else None
    return found if found is not None and found.n >= LEAST_RUNS else None


def _share(c: Accuracy, case: Case, m: Measured) -> float | None:
    if c.calibrates(case.profile):
        spread = _spread(c, case)
        return 1.0 if spread is not None and m.high >= _bar(c, m, spread) else None
    if case.profile is Profile.SMOKE:
        bar = c.smoke if isinstance(c.smoke, float) else c.full
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
