"""Which assignment a submission answers, where nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from grader.errors import UnknownRubric
from grader.submission.align import _align
from grader.submission.model import Alignment, Submission
from grader.submission.votes import AssignmentLike, look

A = TypeVar("A", bound=AssignmentLike)

LEAST_FIT = 0.3
"""Below this the submission is about something else."""

MARGIN = 0.03
"""Two assignments whose fits differ by less fit equally."""


def recognise(submission: Submission, assignments: Sequence[A]) -> tuple[A, Alignment] | None:
    """The assignment that fits best, with its alignment; None where none fits (``unrecognised``).

    Raises UnknownRubric, naming both, where two fit equally well: a person has to say which.
    """
    looks = [look(p) for p in submission.pieces]
    tried = [(a, _align(submission.pieces, looks, a)) for a in assignments]
    tried.sort(key=lambda pair: -pair[1].fit)
    if not tried or tried[0][1].fit < LEAST_FIT:
        return None
    if len(tried) > 1 and tried[0][1].fit - tried[1][1].fit < MARGIN:
        raise UnknownRubric(
            f"it fits {tried[0][0].id} and {tried[1][0].id} equally well",
            where=str(submission.file),
            todo="say which with --rubric",
        )
    return tried[0]
