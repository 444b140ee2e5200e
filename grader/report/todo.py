"""What of a submission needs a person: the first thing on its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from grader.checks.base import State
from grader.report import text
from grader.report.audience import Audience
from grader.report.shown import QuestionView
from grader.results import SubmissionResult

SEVERAL = 3
"""More criteria of one question that could not be judged are one thing to look at, not many."""


@dataclass(frozen=True)
class ToDo:
    """Something that needs a person."""

    href: str
    what: str
    why: str
    marks: str = ""


def to_look_at(result: SubmissionResult, questions: Sequence[QuestionView], audience: Audience) -> list[ToDo]:
    """In the order of the questions; what only waits to be confirmed comes last, as one."""
    found: list[ToDo] = []
    for q in questions:
        name = q.name
        if q.unsure and q.cells:
            found.append(
                ToDo(
                    f"#{q.anchor}",
                    f"{name}: is this the answer?",
                    _because(q.result.why, q.result.confidence),
                )
            )
        elif q.unsure:
            found.append(
                ToDo(f"#{q.anchor}", f"{name}: no answer was found for certain", _because(q.result.why, None))
            )
        unjudged = [c for c in q.criteria if c.result.state is State.UNGRADED]
        if len(unjudged) > SEVERAL:
            marks = text.mark(sum(c.result.out_of for c in unjudged))
            why = Counter(c.result.reason for c in unjudged).most_common(1)[0][0]
            what = f"{name}: {len(unjudged)} criteria could not be judged"
            found.append(ToDo(f"#{unjudged[0].anchor}", what, why, f"{marks} not judged"))
        for c in q.criteria:
            out_of = text.mark(c.result.out_of)
            if c.result.unconfirmed:
                continue
            if c.result.state is State.REVIEW:
                marks = f"{text.mark(c.result.mark)} of {out_of} suggested"
            elif c.result.state is State.UNGRADED and len(unjudged) <= SEVERAL:
                marks = f"{out_of} not judged"
            else:
                continue
            found.append(ToDo(f"#{c.anchor}", f"{name}: {c.result.title}", c.result.reason, marks))
    found += _to_confirm(questions)
    if result.isolation is not None and result.isolation.weak and audience is Audience.MARKER:
        missing = "; ".join(result.isolation.missing) or "less than full isolation on this system"
        found.append(ToDo("#run", "Isolation was weak", missing))
    return found


def _to_confirm(questions: Sequence[QuestionView]) -> list[ToDo]:
    """One entry for all that only waits for marks of the marker's own, so that what is unsure stands out."""
    waiting = [(q, c) for q in questions for c in q.criteria if c.result.unconfirmed]
    if not waiting:
        return []
    got, out_of = (
        text.mark(sum(m)) for m in zip(*((c.result.mark, c.result.out_of) for _, c in waiting), strict=True)
    )
    what = f"To be confirmed: {', '.join(dict.fromkeys(q.name for q, _ in waiting))}"
    why = "These suggestions look sure, but none of your marks confirm them yet: see answers.csv"
    return [ToDo(f"#{waiting[0][1].anchor}", what, why, f"{got} of {out_of} suggested")]


def _because(why: str, confidence: float | None) -> str:
    sure = f"the match is {100 * confidence:.0f} % sure" if confidence is not None else ""
    return "; ".join(p for p in (sure, why) if p)
