"""Which assignment a submission answers, where nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from grader.errors import UnknownRubric
from grader.submission.align import aligned
from grader.submission.model import Alignment, Submission
from grader.submission.votes import AssignmentLike, Look, Vocabulary, look, votes

A = TypeVar("A", bound=AssignmentLike)

CLEAR_FIT, LEAST_FIT, RIVAL = 0.35, 0.15, 0.75
"""From the first on a submission is about the assignment. A nearly empty one may fit less, down to the
second, if no other fits it more than the third of that; else it is about something else."""

MARGIN = 0.05
"""Two assignments whose scores (fit, plus evidence as a share of the best's) differ by less fit equally."""


def recognise(submission: Submission, assignments: Sequence[A]) -> tuple[A, Alignment] | None:
    """The assignment that fits best, with its alignment; None where none fits (``unrecognised``).

    Raises UnknownRubric, naming both, where two fit equally well: a person has to say which.
    """
    if not assignments or not submission.pieces:
        return None
    looks = [look(p) for p in submission.pieces]
    tried = [aligned(submission.pieces, looks, a) for a in assignments]
    evidence = _evidence(submission, looks, assignments, tried)
    most = max([*evidence, 1e-9])
    ranked = sorted(
        (
            (alignment.fit + own / most, i)
            for i, (alignment, own) in enumerate(zip(tried, evidence, strict=True))
        ),
        key=lambda pair: (-pair[0], pair[1]),
    )
    fits = sorted((alignment.fit for alignment in tried), reverse=True)
    alone = len(fits) < 2 or fits[1] <= RIVAL * fits[0]
    least = LEAST_FIT if alone else CLEAR_FIT
    ranked = [(score, i) for score, i in ranked if tried[i].fit >= least]
    if not ranked:
        return None
    best = ranked[0][1]
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN:
        raise UnknownRubric(
            f"it fits {assignments[best].id} and {assignments[ranked[1][1]].id} equally well",
            where=str(submission.file),
            todo="say which with --rubric",
        )
    return assignments[best], tried[best]


def _evidence(
    submission: Submission, looks: Sequence[Look], assignments: Sequence[A], tried: Sequence[Alignment]
) -> list[float]:
    """What speaks for each assignment against the others, each as it was aligned.

    All their questions are put side by side, so that a word which two assignments share weighs less
    than one that is found in one only. Within a single assignment that cannot be seen.
    """
    table = votes(submission.pieces, looks, Vocabulary([q for a in assignments for q in a.questions]))
    found: list[float] = []
    column = 0
    for alignment in tried:
        total = 0.0
        for answer in alignment.answers:
            total += sum(looks[t].size * float(table[t, column]) for t in answer.pieces)
            column += 1
        found.append(max(total, 0.0))
    return found
