"""``mistake``: none of these common mistakes is seen in code that is there to be judged."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from grader.checks.base import Case, Check, Criterion, Verdict, earned, lost, review
from grader.checks.mistakes import keras, pytorch
from grader.checks.mistakes.observed import uses
from grader.checks.mistakes.registry import MISTAKES, search
from grader.checks.mistakes.trace import trace
from grader.checks.models import measured, snapshots, unmeasured
from grader.checks.ran import absent, nothing_ran


class NoMistake(Criterion):
    """Names of `grader.checks.mistakes.registry.MISTAKES`, of which none may be found."""

    none_of: tuple[str, ...] = Field(min_length=1)

    @field_validator("none_of")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in MISTAKES:
                raise ValueError(
                    f"there is no mistake named {name!r}; known are {', '.join(sorted(MISTAKES))}"
                )
        return names

    def title(self) -> str:
        return self.says or "not seen: " + "; ".join(MISTAKES[n].title.lower() for n in self.none_of)


def judge(c: NoMistake, case: Case) -> Verdict:
    """Lost where one is certain, review where one seems to be there. Nothing found earns only where there was
    something to judge: a training that the code shows and the run confirms."""
    found = [m for name in c.none_of for m in search(name, case)]
    if found:
        first = found[0]
        more: dict[str, Any] = {
            "hint": first.hint,
            "quotes": tuple(dict.fromkeys(q for m in found for q in m.quotes)),
            "evidence": {"found": [m.name for m in found]},
        }
        reason = " ".join(f"{m.title}: {m.seen} {m.why}" for m in found)
        if not any(m.sure for m in found):
            return review(c, 0.0, reason, **more)
        return lost(c, reason, **more)
    if nothing_ran(case) or not any(s.trained for s in snapshots(case)):
        return absent(c, case, "trained model")
    if not trace(case).whole or not (pytorch.trainings(case) or keras.fits(case)):
        return review(
            c, c.marks, "A model was trained in a way that could not be followed, so mistakes may be missed."
        )
    needs = {MISTAKES[name].needs for name in c.none_of}
    if "model" in needs and not any(s.trained for s, _ in measured(case)):
        return unmeasured(c, case, suggestion=c.marks)
    if "data" in needs and not uses(case):
        return review(
            c, c.marks, "Which data the answer opened was not seen, so mistakes with it may be missed."
        )
    if "log" in needs and not any(r.stdout.strip() for r in case.runs):
        return review(c, c.marks, "The training printed no loss, so whether it diverged was not seen.")
    return earned(c, "None of these mistakes was seen in the training.", evidence={"found": []})


CHECK = Check(kind="mistake", criterion=NoMistake, judge=judge)
