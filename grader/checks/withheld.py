"""``withheld``: what stands in a rubric for students in the place of a criterion that would give its answer away."""

from __future__ import annotations

from grader.checks.base import Case, Check, Criterion, Verdict, ungraded


class Withheld(Criterion):
    """``of`` is the kind of check that the teacher's own rubric has here."""

    of: str = ""


def judge(c: Withheld, case: Case) -> Verdict:
    found = "An answer was found" if case.answered else "No answer was found"
    return ungraded(c, f"{found}. Your teacher marks it: this rubric does not hold what is accepted.")


CHECK = Check("withheld", Withheld, judge, needs_run=False)
