"""The reference of an assignment as a submission: its files in the order of the questions."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader.checks.base import Case
from grader.errors import RubricError, SubmissionError
from grader.evidence.model import Execution, Piece, Profile
from grader.rubric.model import Assignment
from grader.scoring import case_for
from grader.submission import Alignment, Answer, Submission, read


def submission_of(assignment: Assignment, folder: Path | None = None) -> tuple[Submission, Alignment]:
    """All reference files as one submission, and its alignment, which is known.

    ``folder`` overrides the assignment's own reference folder. Raises `RubricError` when a file is
    missing or cannot be read.
    """
    home = folder if folder is not None else assignment.reference_folder
    pieces: list[Piece] = []
    answers: list[Answer] = []
    digest = hashlib.sha256()
    for number, question in enumerate(assignment.questions):
        if question.reference is None:
            answers.append(Answer(question=question.id, why="the rubric names no reference"))
            continue
        path = home / question.reference
        try:
            found = read(path)
        except SubmissionError as e:
            todo = f"write it, or change `reference` of {question.id}"
            raise RubricError(f"the reference cannot be read: {e.what}", where=str(path), todo=todo) from e
        digest.update(found.digest.encode())
        start, cell = len(pieces), pieces[-1].cell + 1 if pieces else 0
        for piece in found.pieces:
            moved = {"index": len(pieces), "cell": cell + piece.cell, "section": number}
            pieces.append(piece.model_copy(update=moved))
        answers.append(
            Answer(
                question=question.id,
                pieces=tuple(range(start, len(pieces))),
                why="it is this question's reference",
            )
        )
    submission = Submission(file=home, digest=digest.hexdigest(), pieces=tuple(pieces))
    return submission, Alignment(assignment=assignment.id, answers=tuple(answers), fit=1.0)


def cases(
    assignment: Assignment, execution: Execution | None, profile: Profile, folder: Path | None = None
) -> dict[str, Case]:
    """The reference's case for each question that has one, for checks that compare with it."""
    submission, alignment = submission_of(assignment, folder)
    found = {}
    for question, answer in zip(assignment.questions, alignment.answers, strict=True):
        if question.reference is not None:
            found[question.id] = case_for(question, submission, answer, execution, profile=profile)
    return found
