"""A person's marks on answers in words, as the store keeps them, and whose marks decide."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from grader.evidence.model import Sha256
from grader.record import Record


class Trust(StrEnum):
    """Whose confirmed marks may make the mark of an answer in words final without a person."""

    OWN = "own"
    """Only this instructor's, as the store keeps them; until there are any, nothing but blank answers."""
    SHIPPED = "shipped"
    """Until there are any of their own, the record that the package ships: other teachers' marks."""


class MarkedAnswer(Record):
    """An answer and the criterion that it is marked for. ``submission`` is the file it was read in."""

    assignment: str
    question: str
    criterion: str = Field(description="the criterion's title")
    digest: Sha256 = Field(description="of the answer's text, see `grader.text.written.digest`")
    submission: str = ""


class PersonMark(MarkedAnswer):
    """What a person gave one answer for one criterion."""

    answer: str
    mark: float = Field(ge=0)
    out_of: float = Field(gt=0)

    @property
    def share(self) -> float:
        return self.mark / self.out_of
