"""The loss grows without end, or is no number any more."""

from __future__ import annotations

import re
from typing import Any

from grader.checks.base import Case, Quote
from grader.checks.curves import fresh_curves, from_log
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.base import Mistake, Words, quote
from grader.checks.ran import nothing_ran

WORDS = Words(
    name="diverging_learning_rate",
    title="The loss diverges",
    why="Steps that are too large overshoot the minimum, each time by more, until nothing is left to learn from.",
    hint="Change the size of the steps by a factor of ten, and watch the first epochs.",
    needs="log",
)
_NAN = re.compile(r"\bloss\b[^0-9\n]{0,25}?[-+]?\b(nan|inf(?:inity)?)\b", re.IGNORECASE)
GROWTH = 2.0
"""The last loss over the first, from which on it has grown and not only wavered."""


def find(case: Case) -> list[Mistake]:
    """From the fresh run's log: a loss of nan or inf, or one that ends at twice where it began and rose to there."""
    if nothing_ran(case) or not (pytorch.trainings(case) or keras.fits(case)):
        return []
    rate, where = _rate(case)
    said = f" with a learning rate of {rate:g}" if rate is not None else ""
    figures: dict[str, Any] = {"learning_rate": rate} if rate is not None else {}
    for run in case.runs:
        for line in re.split(r"[\n\r]+", run.stdout):
            if m := _NAN.search(line):
                output = Quote(text=line.strip()[:300], piece=run.piece, about="output")
                return [
                    WORDS.seen(
                        f"The loss becomes {m[1].lower()}{said}: the steps seem to be too large.",
                        output,
                        where,
                        sure=False,
                        **figures,
                    )
                ]
    losses = [fresh_curves(case).train_loss, from_log("\n".join(r.stdout for r in case.runs)).train_loss]
    for curve in losses:
        if len(curve) >= 3 and curve[0] > 0 and curve[-1] > GROWTH * curve[0] and curve[-1] >= 0.5 * max(curve) and curve[1] > curve[0]:  # fmt: skip
            return [
                WORDS.seen(
                    f"The training loss rises from {curve[0]:.3g} to {curve[-1]:.3g}{said}: "
                    "the steps seem to be too large.",
                    where,
                    sure=False,
                    first=curve[0],
                    last=curve[-1],
                    **figures,
                )
            ]
    return []


def _rate(case: Case) -> tuple[float | None, Quote | None]:
    """The learning rate of the answer's last training, and where it stands."""
    for fit in reversed(keras.fits(case)):
        return fit.compiled.rate, quote(fit.compiled.event)
    for t in reversed(pytorch.trainings(case)):
        for step in t.steps:
            optimiser = step.value.base
            given = optimiser.given(1, "lr") if optimiser else None
            made = next((e for e in t.trace.events if e.value is optimiser), None)
            known = given is not None and isinstance(given.constant, (int, float))
            return (float(given.constant) if known and given else None), quote(made)
    return None, None


KIND = WORDS.kind(find)
