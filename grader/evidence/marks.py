"""A person's marks on answers in words, as the store keeps them."""

from __future__ import annotations

from pydantic import Field

from grader.evidence.model import Record, Sha256


class PersonMark(Record):
    """What a person gave one answer for one criterion. ``submission`` is the file it was read in."""

    assignment: str
    question: str
    criterion: str = Field(description="the criterion's title")
    digest: Sha256 = Field(description="of the answer's text, see `grader.text.written.digest`")
    answer: str
    mark: float = Field(ge=0)
    out_of: float = Field(gt=0)
    submission: str = ""

    @property
    def share(self) -> float:
        return self.mark / self.out_of
