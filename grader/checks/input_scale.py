"""``input_scale``: pixels are scaled once before the first layer that learns; neither never nor twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.checks.base import Case, Check, Criterion, Verdict, earned, lost, review
from grader.checks.models import classes_used, measured, named, snapshots, unmeasured
from grader.checks.ran import absent
from grader.checks.stated import stated
from grader.evidence.model import Layer, LayerKind

_LINEAR = re.compile(r"x\s*\*\s*([-+.\deE]+)\s*\+\s*([-+.\deE]+)")
_BEFORE = (LayerKind.PADDING, LayerKind.OTHER, LayerKind.FLATTEN, LayerKind.DROPOUT)

RAW = 20.0
"""A largest value above this was not scaled: neither 0..1, nor -1..1, nor unit variance reaches it."""

CENTRED = -20.0
"""Unless the least value is below this: the mean was subtracted, as VGG and ResNet were trained."""

NARROW = 0.05
"""A range narrower than this was scaled twice: 0..1 divided by 255 again is 0..0.004."""


NEAR_CHANCE = 1.6
"""An accuracy below this many times 1 / classes is near chance."""


class InputScale(Criterion):
    """No keys of its own."""

    def title(self) -> str:
        return self.says or "pixels are scaled once"


def rescaling(layers: Sequence[Layer]) -> list[tuple[float, float] | None]:
    """The factors and offsets in front of the first layer that learns; None for one that is not linear."""
    found: list[tuple[float, float] | None] = []
    for x in layers:
        if x.kind is LayerKind.RESCALING:
            m = _LINEAR.fullmatch(x.function.strip())
            found.append((float(m[1]), float(m[2])) if m else None)
        elif x.kind not in _BEFORE:
            break
    return found


def _consequence(case: Case) -> str:
    """What the wrong scale did to the accuracy that the answer states, where it is near chance."""
    classes = classes_used(case)
    tests = [s for s in stated(case, "test accuracy") if s.fresh]
    if not tests or not classes:
        return ""
    last = tests[-1].value
    if last > NEAR_CHANCE / classes:
        return ""
    return f", which is why the accuracy of {last:.0%} is near that of guessing among {classes} classes"


def judge(c: InputScale, case: Case) -> Verdict:
    """The range of the inputs that the model was seen to get, followed through its own rescaling layers."""
    seen = measured(case)
    if not seen:
        return unmeasured(c, case)
    ranged = [(s, m) for s, m in seen if s.input_range]
    if not ranged:
        if not any(s.called for s in snapshots(case)):
            return absent(c, case, "model that was given images")
        return review(c, c.marks / 2, "Which values reached the model was not seen.")
    s, m = ranged[0]
    assert s.input_range is not None
    low, high = s.input_range
    figures = {"input_range": [low, high], "model": named(s)}
    words = f"`{named(s)}` was given values from {low:.3g} to {high:.3g}"
    for step in rescaling(m.layers):
        if step is None:
            return review(
                c,
                c.marks / 2,
                f"{words}, and normalises them in a way that could not be read.",
                evidence=figures,
            )
        low, high = sorted((low * step[0] + step[1], high * step[0] + step[1]))
        words += f", rescaled to {low:.3g} to {high:.3g}"
    figures["scaled"] = [low, high]
    if high - low < NARROW:
        words += ": scaled more than once, so that all pixels look alike to it" + _consequence(case)
        return lost(c, f"{words}.", evidence=figures)
    if high > RAW and low > CENTRED:
        return lost(c, f"{words}: pixels that were not scaled.", evidence=figures)
    return earned(c, f"{words}.", evidence=figures)


CHECK = Check(kind="input_scale", criterion=InputScale, judge=judge)
