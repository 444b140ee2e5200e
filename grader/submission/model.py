"""A submission as read from its file, and its answers once aligned with an assignment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from grader.evidence.model import Piece
from grader.record import Record


class Submission(Record):
    """One file, split into pieces. ``digest`` is the SHA-256 of the file's bytes."""

    file: Path
    digest: str
    pieces: tuple[Piece, ...]
    language: str = "python"
    notes: tuple[str, ...] = Field((), description="what was repaired on reading, in words")


class Answer(Record):
    """The pieces of a submission that answer one question, and how sure that match is.

    ``confidence`` is a probability from 0 to 1; below `UNSURE` verdicts become ``review``.
    An answer with no pieces and a high confidence is a question left out.
    """

    question: str
    pieces: tuple[int, ...] = Field((), description="indices into `Submission.pieces`, in order")
    confidence: float = 1.0
    why: str = Field("", description="what spoke for this match, in words, for the report")


UNSURE = 0.6
"""Below this confidence in the alignment a lost criterion is sent to a person instead."""


class Alignment(Record):
    """How a submission answers an assignment: one `Answer` for each question, in its order."""

    assignment: str
    answers: tuple[Answer, ...]
    fit: float = Field(description="0 to 1: how well the submission fits this assignment at all")
