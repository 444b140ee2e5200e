"""How sure a suggested mark is, and from when on it may stand without a person.

The teacher's share is modelled as the distribution that the parts' probabilities leave
(`grader.text.spread`), their log odds times ``temper``, blurred by ``floor``: a model of the error, not of
the score. A verdict's confidence is the probability that its error is at most ``tolerance`` of the marks:
what that distribution says, corrected by what it does not know (`Doubt`): how much of the marks nothing was found for,
which may have been said in words that no part knows.
Two thresholds, one for accepting (at least half of the marks) and one for rejecting, are the lowest at
which no more than ``allowed`` of the decided answers were off by more than that, each judged on answers
that the model of the error had not seen.

The shipped record (``calibration.json``) was fitted by ``bench/fit_points.py`` on 133 answers written for it. It suggests; by itself it decides nothing for a teacher, whose own marks replace it (`calibrate`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from grader.errors import UsageError
from grader.record import Record
from grader.text import spread
from grader.text.spread import Chances

NEVER = 1.01
"""A threshold that no confidence reaches."""


class Doubt(Record):
    """Log odds that a mark is right, from what the parts' probabilities say and from what is left over.

    The default takes the distribution at its word.
    """

    constant: float = 0.0
    spread: float = Field(1.0, description="times the log odds that the distribution gives")
    missing: float = Field(0.0, description="times the share of the marks that nothing was found for")

    def confidence(self, likely: float, missing: float) -> float:
        p = min(max(likely, SURE), 1 - SURE)
        z = self.constant + self.spread * math.log(p / (1 - p)) + self.missing * missing
        return 1 / (1 + math.exp(-z))


SURE = 0.02
"""No distribution of parts is believed beyond this."""


class Calibration(Record):
    """One record of how far suggestions can be trusted. Shares are of a criterion's marks, 0 to 1."""

    about: str
    answers: int = Field(description="how many marked answers it rests on")
    floor: float = Field(description="least standard deviation of the error")
    temper: float = Field(1.0, description="how far the parts' probabilities are believed; not refitted")
    doubt: Doubt = Field(default_factory=Doubt, description="not refitted")
    shift: float = Field(0.0, description="added to every suggested share: this marker is milder or harder")
    tolerance: float = Field(0.1, description="an error beyond this share of the marks is a wrong mark")
    allowed: float = Field(0.03, description="share of decided answers that may be wrong")
    accept: float = NEVER
    reject: float = NEVER
    shortest: int = Field(8, description="fewer words than any answer seen")
    longest: int = Field(3000, description="more words than any answer seen")

    def likely(self, share: float, chances: Chances, tolerance: float | None = None) -> float:
        """Probability, by the parts alone, that the error of ``share`` is at most ``tolerance`` of the marks."""
        d = spread.distribution(chances, self.temper)
        return spread.within(d, share, tolerance or self.tolerance, self.floor)

    def confidence(self, share: float, chances: Chances) -> float:
        """The same for a whole answer, corrected by `Doubt`."""
        return self.doubt.confidence(self.likely(share, chances), spread.missing(chances))

    def decided(self, share: float, confidence: float) -> bool:
        return confidence >= (self.accept if share >= 0.5 else self.reject)


class Marked(Record):
    """A suggestion and what a teacher gave, both as shares of the marks."""

    suggested: float
    chances: Chances
    given: float
    words: int = 0
    guarded: bool = Field(False, description="a guard sends it to a person anyway")


class Figures(Record):
    """``coverage``: share of answers that stand without a person; ``wrong``: share of these beyond the
    tolerance; ``error``: mean absolute error over all, as a share of the marks."""

    coverage: float
    wrong: float
    error: float


class Report(Record):
    """A calibration, and coverage and error before and after it; after is cross-validated."""

    calibration: Calibration
    before: Figures
    after: Figures


@lru_cache(maxsize=1)
def shipped() -> Calibration:
    return load(Path(__file__).with_name("calibration.json"))


def load(path: Path) -> Calibration:
    """Read a record. Raises UsageError where the file is none."""
    try:
        return Calibration.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise UsageError(
            "this is no calibration record", where=str(path), todo="make it with `grade calibrate`"
        ) from e


def save(calibration: Calibration, path: Path) -> None:
    path.write_text(json.dumps(calibration.model_dump(), indent=1) + "\n", "utf-8")


def figures(rows: Sequence[Marked], c: Calibration) -> Figures:
    """What a calibration would have done with these answers."""
    final = [r for r in rows if not r.guarded and c.decided(_shifted(r, c), _confidence(r, c))]
    wrong = sum(abs(_shifted(r, c) - r.given) > c.tolerance + 1e-9 for r in final)
    error = sum(abs(_shifted(r, c) - r.given) for r in rows) / max(len(rows), 1)
    return Figures(coverage=len(final) / max(len(rows), 1), wrong=wrong / max(len(final), 1), error=error)


def _confidence(r: Marked, c: Calibration) -> float:
    return c.confidence(_shifted(r, c), r.chances)


def _shifted(r: Marked, c: Calibration) -> float:
    """As `assess.assess` shifts a suggestion: nothing stays nothing and all stays all."""
    return min(max(r.suggested + c.shift, 0.0), 1.0) if 0 < r.suggested < 1 else r.suggested


LEAST_SHIFT = 0.02
"""A milder or harder hand than this, as a share of the marks, does not change a mark in half marks."""
PRIOR = 15
"""How many answers the shipped record counts for against a teacher's own."""


def _fit(rows: Sequence[Marked], start: Calibration) -> Calibration:
    """Shift and floor for these rows, drawn towards ``start`` by `PRIOR` answers' worth."""
    from scipy.optimize import minimize_scalar  # late: it takes longer to import than all of this room

    moved = [r.given - r.suggested for r in rows if 0 < r.suggested < 1]  # the others are not shifted
    shift = sum(moved) / (len(moved) + PRIOR)
    shift = shift if abs(shift) >= LEAST_SHIFT else 0.0

    spreads = [spread.distribution(r.chances, start.temper) for r in rows]
    given = [min(max(r.given - shift, 0.0), 1.0) if 0 < r.suggested < 1 else r.given for r in rows]

    def loss(log_floor: float) -> float:
        floor = math.exp(log_floor)
        unlikely = -sum(math.log(spread.density(d, g, floor)) for d, g in zip(spreads, given, strict=True))
        return unlikely + 0.5 * PRIOR * (log_floor - math.log(start.floor)) ** 2

    best = minimize_scalar(loss, bounds=(math.log(0.005), math.log(0.5)), method="bounded").x
    return start.model_copy(update={"shift": shift, "floor": math.exp(best)})


def _folds(rows: Sequence[Marked], start: Calibration, groups: Sequence[str]) -> list[Calibration]:
    """For every row a calibration fitted without its group."""
    by_group: dict[str, Calibration] = {}
    for g in dict.fromkeys(groups):
        by_group[g] = _fit([r for r, other in zip(rows, groups, strict=True) if other != g], start)
    return [by_group[g] for g in groups]


def _threshold(
    rows: Sequence[Marked], unseen: Sequence[Calibration], accept: bool, allowed: float, tolerance: float
) -> float:
    """The lowest confidence from which on the wrong ones are at most ``allowed`` of the decided ones."""
    mine = []
    for r, c in zip(rows, unseen, strict=True):
        share = _shifted(r, c)
        if not r.guarded and (share >= 0.5) == accept:
            mine.append((_confidence(r, c), abs(share - r.given) > tolerance + 1e-9))
    mine.sort(key=lambda p: -p[0])
    best, wrong = NEVER, 0
    for n, (confidence, bad) in enumerate(mine, 1):
        if confidence < DOUBTFUL:
            break
        wrong += bad
        last = n == len(mine) or mine[n][0] < confidence  # those as sure as this one stand or fall together
        if last and wrong <= allowed * n + HALF and n >= LEAST:
            best = confidence
    return best


DOUBTFUL = 0.65
"""No threshold goes below this: a few dozen marks cannot show that a doubtful mark is sure."""
HALF = 0.5
"""Errors are whole answers: what is allowed is rounded to the nearest."""
LEAST_MARKS = 10
"""Fewer marked answers than this cannot be calibrated with."""
LEAST = 4
"""Fewer decided answers than this prove nothing."""


def calibrate(
    rows: Sequence[Marked],
    *,
    allowed: float = 0.03,
    tolerance: float = 0.1,
    start: Calibration | None = None,
    groups: Sequence[str] = (),
    about: str = "a teacher's own marks",
) -> Report:
    """Refit from marked answers; 20 to 50 suffice. ``groups`` (submissions) are left out together.

    Raises UsageError for fewer than `LEAST_MARKS` rows.
    """
    if len(rows) < LEAST_MARKS:
        raise UsageError(f"{len(rows)} marked answers are too few to calibrate with", todo="mark at least 20")
    start = start or shipped()
    groups = groups or [str(n) for n in range(len(rows))]
    unseen = _folds(rows, start, groups)
    accept = _threshold(rows, unseen, True, allowed, tolerance)
    reject = _threshold(rows, unseen, False, allowed, tolerance)
    words = [r.words for r in rows if r.words]
    fitted = _fit(rows, start).model_copy(
        update={
            "about": about,
            "answers": len(rows),
            "accept": accept,
            "reject": reject,
            "allowed": allowed,
            "tolerance": tolerance,
            "shortest": max(min(words) // 2, 4) if words else start.shortest,
            "longest": 2 * max(words) if words else start.longest,
        }
    )
    return Report(
        calibration=fitted, before=figures(rows, start), after=_unseen_figures(rows, unseen, groups, fitted)
    )


def _unseen_figures(
    rows: Sequence[Marked], unseen: Sequence[Calibration], groups: Sequence[str], fitted: Calibration
) -> Figures:
    """Coverage and error where each group's thresholds, too, come from the other groups."""
    final = wrong = 0
    error = 0.0
    for g in dict.fromkeys(groups):
        others = [n for n, x in enumerate(groups) if x != g]
        sub = [rows[n] for n in others]
        seen = [unseen[n] for n in others]
        limits = {
            "accept": _threshold(sub, seen, True, fitted.allowed, fitted.tolerance),
            "reject": _threshold(sub, seen, False, fitted.allowed, fitted.tolerance),
        }
        for n, x in enumerate(groups):
            if x != g:
                continue
            c = unseen[n].model_copy(update=limits)
            share = _shifted(rows[n], c)
            error += abs(share - rows[n].given)
            if not rows[n].guarded and c.decided(share, _confidence(rows[n], c)):
                final += 1
                wrong += abs(share - rows[n].given) > fitted.tolerance + 1e-9
    return Figures(coverage=final / len(rows), wrong=wrong / max(final, 1), error=error / len(rows))
